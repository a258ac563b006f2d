package pacer.workflows.stack;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Reads the ends of log files. */
public final class Logs {
    private static final int LONGEST_LINE = 1 << 10;
    private static final int LONGEST_ANSWER = 1 << 16;
    private static final long LOOK_MILLIS = 200;

    private Logs() {}

    /** The last lines of {@code log}; none where it cannot be read. */
    public static List<String> last(Path log, int lines) {
        try (SeekableByteChannel channel = Files.newByteChannel(log)) {
            channel.position(Math.max(0, channel.size() - (long) lines * LONGEST_LINE));
            String tail = new String(Channels.newInputStream(channel).readAllBytes(), StandardCharsets.UTF_8);
            List<String> all = tail.lines().toList();
            return all.subList(Math.max(0, all.size() - lines), all.size());
        } catch (IOException e) {
            return List.of();
        }
    }

    /** What {@code log} holds, in bytes; 0 where it cannot be read. */
    static long size(Path log) {
        try {
            return Files.size(log);
        } catch (IOException e) {
            return 0;
        }
    }

    /** The beginning of what was added to {@code log} after its first {@code size} bytes. */
    static String since(Path log, long size) {
        try (InputStream in = Files.newInputStream(log)) {
            in.skipNBytes(size);
            return new String(in.readNBytes(LONGEST_ANSWER), StandardCharsets.UTF_8);
        } catch (IOException e) {
            return "";
        }
    }

    /** Copies to {@code out} what is added to {@code log} from now on, until this thread is interrupted. */
    public static void follow(Path log, OutputStream out) throws IOException, InterruptedException {
        try (SeekableByteChannel channel = Files.newByteChannel(log)) {
            channel.position(channel.size());
            ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
            while (true) {
                buffer.clear();
                int read = channel.read(buffer);
                if (read > 0) {
                    out.write(buffer.array(), 0, read);
                    out.flush();
                } else {
                    Thread.sleep(LOOK_MILLIS);
                }
            }
        }
    }
}
