package pacer.trainer.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import pacer.trainer.durable.DurableFiles;
import pacer.trainer.event.TrainingEvent;

/**
 * The file of a run's events, one JSON object a line. Only the newest epoch can append; a line is there whole or not at all, and
 * what a killed writer left unfinished is cut off by the next. After a resume some steps are there twice:
 * {@link #firstOccurrences} tells what counts.
 */
public final class EventLog implements AutoCloseable {
    private final Fence fence;
    private final FileChannel channel;

    private EventLog(Fence fence, FileChannel channel) {
        this.fence = fence;
        this.channel = channel;
    }

    /** Opens {@code file} to append to, creating it; cuts off an unfinished last line. */
    public static EventLog open(Path file, Fence fence) throws IOException {
        return fence.commit(() -> {
            boolean isNew = !Files.exists(file);
            FileChannel channel = FileChannel.open(
                    file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            try {
                if (isNew) {
                    DurableFiles.syncFolder(file.toAbsolutePath().getParent());
                }
                channel.truncate(endOfLastLine(channel));
                return new EventLog(fence, channel);
            } catch (IOException | RuntimeException e) {
                channel.close();
                throw e;
            }
        });
    }

    /**
     * Appends {@code events} in order: all of them or, when this throws, none.
     *
     * @throws FencedException when a later epoch has begun
     */
    public void append(Collection<? extends TrainingEvent> events) throws IOException {
        StringBuilder lines = new StringBuilder();
        for (TrainingEvent event : events) {
            lines.append(line(event)).append('\n');
        }
        ByteBuffer bytes = ByteBuffer.wrap(lines.toString().getBytes(StandardCharsets.UTF_8));
        fence.commit(() -> {
            long end = channel.size();
            try {
                for (long at = end; bytes.hasRemaining(); ) {
                    at += channel.write(bytes, at);
                }
            } catch (IOException e) {
                channel.truncate(end); // a full disk takes the beginning of a line
                throw e;
            }
            return null;
        });
    }

    /** As {@link #append(Collection)}. */
    public void append(TrainingEvent event) throws IOException {
        append(List.of(event));
    }

    /** Makes what was appended last through a power cut; to be called before a checkpoint that follows it is committed. */
    public void sync() throws IOException {
        channel.force(false);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    /** {@code event} as it is written: one line of JSON, without its end. */
    public static String line(TrainingEvent event) {
        try {
            return Json.MAPPER.writeValueAsString(event);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The event of {@code line}; fails with a JsonProcessingException on anything else. */
    public static TrainingEvent parse(String line) throws IOException {
        return Json.MAPPER.readValue(line, TrainingEvent.class);
    }

    /**
     * All events of {@code file} in order; none when there is no file. An unfinished last line is no event yet. A line that is no
     * event is left out and said to {@code damage}.
     */
    public static List<TrainingEvent> read(Path file, Consumer<String> damage) throws IOException {
        List<TrainingEvent> events = new ArrayList<>();
        String text;
        try {
            text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
        } catch (NoSuchFileException none) {
            return events;
        }
        int number = 1;
        int start = 0;
        for (int end = text.indexOf('\n'); end >= 0; start = end + 1, end = text.indexOf('\n', start), number++) {
            try {
                events.add(parse(text.substring(start, end)));
            } catch (JsonProcessingException e) {
                damage.accept(new InvalidFileException(file, "line " + number, "is no event: " + e.getOriginalMessage())
                        .getMessage());
            }
        }
        return events;
    }

    /**
     * What counts of {@code events}: of each kind and step the first, because training is deterministic and what comes again
     * after a resume is a repetition. Samples, notices and failures also differ by their text, as a step may have several; each
     * launch is one of its own.
     */
    public static List<TrainingEvent> firstOccurrences(List<TrainingEvent> events) {
        record Key(Class<?> kind, int step, String text) {}
        Set<Key> seen = new HashSet<>();
        return events.stream()
                .filter(event -> {
                    String text =
                            switch (event) {
                                case TrainingEvent.Sampled sampled -> sampled.prompt() + '\n' + sampled.text();
                                case TrainingEvent.Notice notice -> notice.text();
                                case TrainingEvent.Failed failed -> failed.reason();
                                case TrainingEvent.Started started ->
                                    started.time().toString();
                                default -> "";
                            };
                    return seen.add(new Key(event.getClass(), event.step(), text));
                })
                .toList();
    }

    private static long endOfLastLine(FileChannel channel) throws IOException {
        ByteBuffer window = ByteBuffer.allocate(4096);
        for (long end = channel.size(); end > 0; ) {
            long start = Math.max(0, end - window.capacity());
            window.clear().limit((int) (end - start));
            for (long at = start; window.hasRemaining(); ) {
                int read = channel.read(window, at);
                if (read < 0) {
                    throw new IOException("the file of events became shorter while it was read");
                }
                at += read;
            }
            for (int i = window.position() - 1; i >= 0; i--) {
                if (window.get(i) == '\n') {
                    return start + i + 1;
                }
            }
            end = start;
        }
        return 0;
    }
}
