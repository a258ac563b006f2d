package pacer.activities.run;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Mutual exclusion by a lock file, between threads and between processes. The operating system drops the lock when its
 * holder dies, so there is nothing to clean up after a kill.
 *
 * <p>POSIX drops a process's lock when it closes <i>any</i> descriptor of the file; so within a process one holder at a time
 * has the file open, which the semaphore per file sees to.
 */
public final class FileGuard implements AutoCloseable {
    private static final ConcurrentHashMap<Path, Semaphore> IN_THIS_PROCESS = new ConcurrentHashMap<>();
    private static final Duration PAUSE = Duration.ofMillis(50);

    private final Semaphore semaphore;
    private final FileChannel channel;

    private FileGuard(Semaphore semaphore, FileChannel channel) {
        this.semaphore = semaphore;
        this.channel = channel;
    }

    /** Something to do while another holds the lock: heartbeat, be cancelled. */
    @FunctionalInterface
    public interface Waiting {
        void stillWaiting();
    }

    /** Takes the lock, waiting as long as need be; {@code waiting} is called about 20 times a second meanwhile. */
    public static FileGuard take(Path lockFile, Waiting waiting) throws IOException, InterruptedException {
        while (true) {
            Optional<FileGuard> guard = tryTake(lockFile, PAUSE);
            if (guard.isPresent()) {
                return guard.get();
            }
            waiting.stillWaiting();
        }
    }

    /** Takes the lock if nobody has it. */
    public static Optional<FileGuard> tryTake(Path lockFile) throws IOException {
        try {
            return tryTake(lockFile, Duration.ZERO);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }

    private static Optional<FileGuard> tryTake(Path lockFile, Duration patience)
            throws IOException, InterruptedException {
        Path file = lockFile.toAbsolutePath().normalize();
        Semaphore semaphore = IN_THIS_PROCESS.computeIfAbsent(file, f -> new Semaphore(1));
        if (!semaphore.tryAcquire(patience.toMillis(), TimeUnit.MILLISECONDS)) {
            return Optional.empty();
        }
        FileChannel channel = null;
        boolean held = false;
        try {
            Files.createDirectories(file.getParent());
            channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            held = channel.tryLock() != null;
            if (held) {
                return Optional.of(new FileGuard(semaphore, channel));
            }
        } finally {
            if (!held) {
                if (channel != null) {
                    channel.close();
                }
                semaphore.release();
            }
        }
        if (!patience.isZero()) {
            Thread.sleep(patience);
        }
        return Optional.empty();
    }

    @Override
    public void close() throws IOException {
        try {
            channel.close();
        } finally {
            semaphore.release();
        }
    }
}
