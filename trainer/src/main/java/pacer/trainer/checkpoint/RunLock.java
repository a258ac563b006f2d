package pacer.trainer.checkpoint;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import pacer.trainer.durable.FileGuard;

/** A {@link FileGuard} that the thread that has it may take again, as a commit inside a commit does. */
final class RunLock implements AutoCloseable {
    private static final Map<Path, RunLock> HELD = new ConcurrentHashMap<>();

    private final Path file;
    private final FileGuard guard;
    private final Thread holder = Thread.currentThread();
    private int depth = 1;

    private RunLock(Path file, FileGuard guard) {
        this.file = file;
        this.guard = guard;
    }

    /** Waits at most {@code patience} for the lock {@code file}, whose folder exists; empty when that was not enough. */
    static Optional<RunLock> take(Path file, Duration patience) throws IOException {
        Path unique = file.getParent().toRealPath().resolve(file.getFileName());
        RunLock own = HELD.get(unique);
        if (own != null && own.holder == Thread.currentThread()) {
            own.depth++;
            return Optional.of(own);
        }
        try {
            Optional<RunLock> lock = FileGuard.tryTake(unique, patience).map(guard -> new RunLock(unique, guard));
            lock.ifPresent(taken -> HELD.put(unique, taken));
            return lock;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while waiting for " + file);
        }
    }

    /** Lets go of it, on the thread that took it, when it was taken no more often than closed. */
    @Override
    public void close() throws IOException {
        depth--;
        if (depth == 0) {
            HELD.remove(file);
            guard.close();
        }
    }
}
