package pacer.trainer.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import pacer.trainer.durable.DurableFiles;
import pacer.trainer.durable.Sha256;
import pacer.trainer.event.TrainingEvent;

/**
 * The file of a run's events, one JSON object a line. Only the newest epoch can append; a line is there whole or not at all, and
 * what a killed writer left unfinished is cut off by the next. After a resume some steps are there twice:
 * {@link Occurrences} tells what counts.
 */
public final class EventLog implements AutoCloseable {
    private static final int PIECE = 1 << 20;

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
                channel.truncate(wholeLines(channel));
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

    /** Appends the lines of {@code other}, the same run's events as another host knows them, that are not here, from where the two part. */
    public void join(Path other) throws IOException {
        try (FileChannel in = FileChannel.open(other, StandardOpenOption.READ)) {
            fence.commit(() -> {
                long from = linesInCommon(channel, in);
                Set<Long> here = new HashSet<>(); // where hosts take turns, each has what the other got of it before
                Lines ours = new Lines(Channels.newInputStream(channel.position(from)));
                while (ours.next()) {
                    here.add(fingerprint(ours));
                }
                long end = channel.size();
                Lines theirs = new Lines(Channels.newInputStream(in.position(from)));
                ByteArrayOutputStream added = new ByteArrayOutputStream();
                while (theirs.next()) {
                    if (!here.contains(fingerprint(theirs))) {
                        added.write(theirs.bytes(), theirs.begin(), theirs.length() + 1);
                    }
                    if (added.size() > PIECE) {
                        end = write(added, end);
                    }
                }
                write(added, end);
                return null;
            });
        }
    }

    private long write(ByteArrayOutputStream lines, long end) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(lines.toByteArray());
        long at = end;
        while (bytes.hasRemaining()) {
            at += channel.write(bytes, at);
        }
        lines.reset();
        return at;
    }

    /** As good as the line itself: two of a million lines share one with a probability of 10⁻⁷. */
    private static long fingerprint(Lines line) {
        MessageDigest digest = Sha256.begin();
        digest.update(line.bytes(), line.begin(), line.length());
        return ByteBuffer.wrap(digest.digest()).getLong();
    }

    private static long linesInCommon(FileChannel a, FileChannel b) throws IOException {
        ByteBuffer ofA = ByteBuffer.allocate(1 << 16);
        ByteBuffer ofB = ByteBuffer.allocate(1 << 16);
        long lines = 0;
        for (long at = 0; ; ) {
            a.read(ofA.clear(), at);
            b.read(ofB.clear(), at);
            int same = ofA.flip().mismatch(ofB.flip());
            int equal = same < 0 ? ofA.limit() : same;
            for (int i = equal - 1; i >= 0; i--) {
                if (ofA.get(i) == '\n') {
                    lines = at + i + 1;
                    break;
                }
            }
            if (same >= 0 || equal == 0) {
                return lines;
            }
            at += equal;
        }
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
     * Hands all events of {@code file} in order to {@code events}; none when there is no file. An unfinished last line is no event yet. A
     * line that is no event is left out and said to {@code damage}. Only a line at a time is held in memory: a file may have millions.
     */
    public static void read(Path file, Consumer<TrainingEvent> events, Consumer<String> damage) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            read(
                    new Lines(in),
                    events,
                    (number, reason) -> damage.accept(
                            new InvalidFileException(file, "line " + number, "is no event: " + reason).getMessage()));
        } catch (NoSuchFileException none) {
            return;
        }
    }

    /** The same, of those that {@link Occurrences} counts. */
    public static void readCounted(Path file, Consumer<TrainingEvent> events, Consumer<String> damage)
            throws IOException {
        Occurrences all = new Occurrences();
        read(
                file,
                event -> {
                    if (all.counts(event)) {
                        events.accept(event);
                    }
                },
                damage);
    }

    /** Hears of a line that is no event. */
    private interface Damage {
        void at(int line, String reason);
    }

    private static void read(Lines lines, Consumer<TrainingEvent> events, Damage damage) throws IOException {
        for (int number = 1; lines.next(); number++) {
            try {
                events.accept(Json.MAPPER.readValue(lines.bytes(), lines.begin(), lines.length(), TrainingEvent.class));
            } catch (JsonProcessingException e) {
                damage.at(number, e.getOriginalMessage());
            }
        }
    }

    /** The same, as a list. */
    public static List<TrainingEvent> read(Path file, Consumer<String> damage) throws IOException {
        List<TrainingEvent> events = new ArrayList<>();
        read(file, events::add, damage);
        return events;
    }

    /** The events of the last {@code most} bytes of {@code file}, as far as they are whole: how it stands, without reading all of it. */
    public static void readEnd(Path file, int most, Consumer<TrainingEvent> events) throws IOException {
        try (SeekableByteChannel channel = Files.newByteChannel(file)) {
            long from = Math.max(0, channel.size() - most);
            channel.position(from);
            Lines lines = new Lines(Channels.newInputStream(channel));
            boolean whole = from == 0 || lines.next(); // else the first line probably is cut
            if (whole) {
                read(lines, events, (number, reason) -> {}); // who reads all of it is told
            }
        } catch (NoSuchFileException none) {
            return;
        }
    }

    /** Of {@code events} those that {@link Occurrences} counts. */
    public static List<TrainingEvent> firstOccurrences(List<TrainingEvent> events) {
        return events.stream().filter(new Occurrences()::counts).toList();
    }

    /** Bytes of {@code channel} up to the end of its last whole line. */
    public static long wholeLines(FileChannel channel) throws IOException {
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
