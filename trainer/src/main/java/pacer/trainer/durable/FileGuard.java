package pacer.trainer.durable;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Mutual exclusion by a lock file, between threads and between processes; any thread may let go of it. The operating system
 * drops the lock when its holder dies, so there is nothing to clean up after a kill.
 *
 * <p>POSIX drops a process's lock when it closes <i>any</i> descriptor of the file; so within a process one holder at a time
 * has the file open, which the semaphore per file sees to.
 */
public final class FileGuard implements AutoCloseable {
    private static final ConcurrentHashMap<Path, Semaphore> IN_THIS_PROCESS = new ConcurrentHashMap<>();
    private static final Duration PAUSE = Duration.ofMillis(50);
    private static final Duration FIRST_LOOK = Duration.ofNanos(100_000);
    private static final Duration RAREST_LOOK = Duration.ofMillis(10);

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

    /** Waits at most {@code patience} for the lock; empty when that was not enough. */
    public static Optional<FileGuard> tryTake(Path lockFile, Duration patience)
            throws IOException, InterruptedException {
        long end = System.nanoTime() + patience.toNanos();
        Path file = unique(lockFile);
        Semaphore semaphore = IN_THIS_PROCESS.computeIfAbsent(file, f -> new Semaphore(1));
        if (!semaphore.tryAcquire(patience.toNanos(), TimeUnit.NANOSECONDS)) {
            return Optional.empty();
        }
        Optional<FileChannel> channel = Optional.empty();
        try {
            channel = lock(file, end);
            return channel.map(held -> new FileGuard(semaphore, held));
        } finally {
            if (channel.isEmpty()) {
                semaphore.release();
            }
        }
    }

    /** The one name of {@code lockFile} in this process, whatever links lead to its folder, which is made if need be. */
    private static Path unique(Path lockFile) throws IOException {
        Path folder = lockFile.toAbsolutePath().normalize().getParent();
        return Files.createDirectories(folder).toRealPath().resolve(lockFile.getFileName());
    }

    /** An open channel that holds the lock; empty when it could not be had until {@code end}. */
    private static Optional<FileChannel> lock(Path file, long end) throws IOException, InterruptedException {
        FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        boolean held = false;
        try {
            held = channel.tryLock() != null;
            for (Duration pause = FIRST_LOOK; !held && System.nanoTime() < end; pause = rarer(pause)) {
                Thread.sleep(pause);
                held = channel.tryLock() != null;
            }
            return held ? Optional.of(channel) : Optional.empty();
        } catch (FileSystemException e) {
            throw e;
        } catch (IOException e) {
            throw new IOException(
                    file + " cannot be locked: " + e.getMessage()
                            + "; put runs (--runs) and cache (--cache) on a file system that has locks",
                    e);
        } finally {
            if (!held) {
                channel.close();
            }
        }
    }

    private static Duration rarer(Duration pause) {
        Duration twice = pause.multipliedBy(2);
        return twice.compareTo(RAREST_LOOK) < 0 ? twice : RAREST_LOOK;
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
