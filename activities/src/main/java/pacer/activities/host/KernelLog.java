package pacer.activities.host;

import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import pacer.activities.run.BadInputException;
import pacer.activities.run.Reasons;

/**
 * Follows the kernel's log from now on: {@code /dev/kmsg}, or what {@value #VARIABLE} names, a file that another program writes it to, which may be
 * rotated, or a FIFO. What was there before is not read: a worker that is started again begins anew.
 */
public final class KernelLog {
    public static final String VARIABLE = "PACER_KERNEL_LOG";

    private static final Path KERNEL = Path.of("/dev/kmsg");
    private static final Path DRIVER = Path.of("/proc/driver/nvidia");
    private static final long PAUSE_MILLIS = 200;
    private static final int LONGEST_LINE = 1 << 16;

    private final Path source;
    private final Consumer<String> lines;
    private final Consumer<String> complaints;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();

    private KernelLog(Path source, Consumer<String> lines, Consumer<String> complaints) {
        this.source = source;
        this.lines = lines;
        this.complaints = complaints;
    }

    /**
     * Follows it on a thread of its own for as long as this process lives: where {@value #VARIABLE} is set, or NVIDIA's driver is loaded.
     *
     * @param complaints hears, once, why it cannot be followed, or not any longer
     * @return whether it is followed
     * @throws BadInputException when there is nothing where the variable says
     */
    public static boolean follow(Map<String, String> environment, Consumer<String> lines, Consumer<String> complaints) {
        String set = environment.getOrDefault(VARIABLE, "").strip();
        if (set.isEmpty() && !Files.exists(DRIVER)) {
            return false;
        }
        Path source = set.isEmpty() ? KERNEL : Path.of(set);
        if (!set.isEmpty() && (!Files.exists(source) || Files.isDirectory(source))) {
            throw new BadInputException(
                    VARIABLE + ": " + source + " is no file; give one that the kernel's log is written to, or a FIFO");
        }
        KernelLog log = new KernelLog(source, lines, complaints);
        try {
            log.begin();
        } catch (IOException e) {
            log.complain("are not seen", e);
            return false;
        }
        return true;
    }

    private void complain(String what, IOException e) {
        complaints.accept("errors of GPUs %s: %s: %s; %s names a file that the kernel's log is written to"
                .formatted(what, source, Reasons.of(e), VARIABLE));
    }

    /** Opens what can be opened without waiting, so that nothing written from now on is missed. */
    private void begin() throws IOException {
        Follower follower;
        if (Files.isRegularFile(source)) {
            FileChannel channel = FileChannel.open(source);
            channel.position(channel.size());
            follower = () -> followFile(channel);
        } else if (Files.isSameFile(source, KERNEL)) {
            KernelMessages messages = KernelMessages.open(source);
            follower = () -> followKernel(messages);
        } else {
            follower = this::followStream;
        }
        Thread.ofPlatform().daemon().name("kernel-log").start(() -> run(follower));
    }

    private interface Follower {
        void run() throws IOException, InterruptedException;
    }

    private void run(Follower follower) {
        try {
            follower.run();
        } catch (IOException e) {
            complain("are not seen any longer", e);
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts this thread", e);
        }
    }

    private void followKernel(KernelMessages messages) throws IOException {
        while (true) {
            lines.accept(messages.next());
        }
    }

    /** A FIFO has an end whenever its last writer closes it. */
    private void followStream() throws IOException, InterruptedException {
        byte[] buffer = new byte[8192];
        while (true) {
            try (InputStream in = new FileInputStream(source.toFile())) {
                int count = in.read(buffer);
                while (count >= 0) {
                    take(buffer, count);
                    count = in.read(buffer);
                }
            }
            Thread.sleep(PAUSE_MILLIS);
        }
    }

    /** Goes on in the new file where the old one was renamed or deleted, and from the beginning where it was cut. */
    private void followFile(FileChannel opened) throws IOException, InterruptedException {
        FileChannel channel = opened;
        Object key = key();
        ByteBuffer buffer = ByteBuffer.allocate(8192);
        while (true) {
            Object now = key(); // before the last look at the old one
            for (int count = channel.read(buffer); count > 0; count = channel.read(buffer)) {
                take(buffer.array(), count);
                buffer.clear();
            }
            if (now != null && !Objects.equals(now, key)) {
                channel.close();
                channel = FileChannel.open(source);
                key = now;
            } else if (channel.size() < channel.position()) {
                channel.position(0);
            } else {
                Thread.sleep(PAUSE_MILLIS);
            }
        }
    }

    /** Which file has the name at the moment; null for none. */
    private Object key() throws IOException {
        try {
            return Files.readAttributes(source, "unix:ino,dev");
        } catch (NoSuchFileException e) {
            return null;
        }
    }

    private void take(byte[] bytes, int count) {
        for (int i = 0; i < count; i++) {
            if (bytes[i] == '\n') {
                lines.accept(line.toString(StandardCharsets.UTF_8));
                line.reset();
            } else if (line.size() < LONGEST_LINE) {
                line.write(bytes[i]);
            }
        }
    }
}
