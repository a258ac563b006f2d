package pacer.activities.tracking;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import pacer.trainer.checkpoint.EventLog;
import pacer.trainer.durable.DurableFiles;
import pacer.trainer.event.TrainingEvent;

/**
 * Reads a run's {@code events.jsonl} piece by piece while its trainer appends to it.
 *
 * @param damage hears of lines that are no events; they are passed over
 */
record Spool(Path file, int pieceBytes, Consumer<String> damage) {
    /** A few hundred events: few enough that little is sent again after a kill. */
    private static final int PIECE = 1 << 16;

    Spool(Path file, Consumer<String> damage) {
        this(file, PIECE, damage);
    }

    /**
     * Whole lines of the file.
     *
     * @param end where the next piece begins
     */
    record Piece(List<TrainingEvent> events, long end) {}

    /**
     * The whole lines from {@code offset} on, a piece of them where there are many. A line without its end is left for later: its writer
     * completes it or, when it was killed, the next one cuts it off.
     *
     * <p>What is returned has been made to last: a power cut must not take back events that MLflow has, for the steps would be told again, at
     * other times.
     */
    Piece read(long offset) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            // shorter than before: another file took its place, and what of it was sent is known by its steps
            long start = channel.size() < offset ? 0 : offset;
            byte[] bytes = wholeLines(channel, start);
            if (bytes.length > 0) {
                DurableFiles.sync(file);
            }
            return new Piece(events(bytes, start), start + bytes.length);
        } catch (NoSuchFileException none) {
            return new Piece(List.of(), offset);
        }
    }

    private byte[] wholeLines(FileChannel channel, long start) throws IOException {
        for (int size = pieceBytes; ; size = Math.multiplyExact(size, 2)) { // a line may be longer than a piece
            ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(size, channel.size() - start));
            while (buffer.hasRemaining() && channel.read(buffer, start + buffer.position()) >= 0) {
                // until all is there, or the file's end
            }
            for (int at = buffer.position() - 1; at >= 0; at--) {
                if (buffer.get(at) == '\n') {
                    byte[] lines = new byte[at + 1];
                    buffer.get(0, lines);
                    return lines;
                }
            }
            if (buffer.position() < size) {
                return new byte[0];
            }
        }
    }

    private List<TrainingEvent> events(byte[] bytes, long start) {
        List<TrainingEvent> events = new ArrayList<>();
        int begin = 0;
        for (int at = 0; at < bytes.length; at++) {
            if (bytes[at] == '\n') {
                try {
                    events.add(EventLog.parse(new String(bytes, begin, at - begin, StandardCharsets.UTF_8)));
                } catch (JsonProcessingException e) {
                    damage.accept(
                            file + ": the line at byte " + (start + begin) + " is no event: " + e.getOriginalMessage());
                } catch (IOException e) {
                    throw new IllegalStateException("a text is read without a file", e);
                }
                begin = at + 1;
            }
        }
        return events;
    }
}
