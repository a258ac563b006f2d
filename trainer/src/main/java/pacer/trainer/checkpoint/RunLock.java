package pacer.trainer.checkpoint;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Mutual exclusion over a file, between processes and between the threads of each, reentrant. The system lets go of it when
 * a process dies, however it dies.
 */
final class RunLock implements AutoCloseable {
    // a file lock belongs to the whole process, and closing any channel of the file drops it: so one thread at a time
    private static final Map<Path, ReentrantLock> THREADS = new ConcurrentHashMap<>();

    private final ReentrantLock thread;
    /** Null inside a lock that this thread holds already. */
    private final FileChannel channel;

    private RunLock(ReentrantLock thread, FileChannel channel) {
        this.thread = thread;
        this.channel = channel;
    }

    /** Waits at most {@code patience} for the lock {@code file}, whose folder exists; empty when that was not enough. */
    static Optional<RunLock> take(Path file, Duration patience) throws IOException {
        Path unique = file.getParent().toRealPath().resolve(file.getFileName());
        ReentrantLock thread = THREADS.computeIfAbsent(unique, f -> new ReentrantLock());
        long end = System.nanoTime() + patience.toNanos();
        try {
            if (!thread.tryLock(patience.toNanos(), TimeUnit.NANOSECONDS)) {
                return Optional.empty();
            }
        } catch (InterruptedException e) {
            throw interrupted(file);
        }
        boolean taken = false;
        try {
            boolean nested = thread.getHoldCount() > 1;
            FileChannel channel = nested ? null : lock(unique, end);
            taken = nested || channel != null;
            return taken ? Optional.of(new RunLock(thread, channel)) : Optional.empty();
        } catch (InterruptedException e) {
            throw interrupted(file);
        } finally {
            if (!taken) {
                thread.unlock();
            }
        }
    }

    private static InterruptedIOException interrupted(Path file) {
        Thread.currentThread().interrupt();
        return new InterruptedIOException("interrupted while waiting for " + file);
    }

    /** An open channel that holds the lock, or null when it could not be had until {@code end}. */
    private static FileChannel lock(Path file, long end) throws IOException, InterruptedException {
        FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            long pause = 100_000;
            while (channel.tryLock() == null) {
                if (System.nanoTime() > end) {
                    channel.close();
                    return null;
                }
                TimeUnit.NANOSECONDS.sleep(pause);
                pause = Math.min(2 * pause, 10_000_000);
            }
            return channel;
        } catch (IOException | InterruptedException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    @Override
    public void close() throws IOException {
        try {
            if (channel != null) {
                channel.close();
            }
        } finally {
            thread.unlock();
        }
    }
}
