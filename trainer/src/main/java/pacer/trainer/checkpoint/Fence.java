package pacer.trainer.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import pacer.trainer.durable.DurableFiles;
import pacer.trainer.durable.ProcessIdentity;

/**
 * One attempt's right to write into a run's folder. Attempts are numbered; each {@linkplain #acquire takes} the next number,
 * the epoch, under a file lock, and whatever it makes visible it {@linkplain #commit commits} under the same lock and
 * only while no later epoch exists. So a zombie, an earlier attempt that was stopped, cut off or believed dead and goes
 * on, can change nothing, at whatever moment it wakes.
 *
 * <p>The trainer process that writes for an epoch {@linkplain #join makes itself known}. Whoever takes a later epoch ends it, if
 * it is still the same process of the same machine: it could not write any more, but would use the machine, and stopped in
 * the middle of a commit it would hold the lock for ever.
 *
 * <p>Files, in the run's folder {@code .fence}: {@code lock}, {@code epoch} (the newest, decimal), {@code writer} (that process).
 */
public final class Fence {
    /** How long a lock may be held before its holder is looked into; a commit takes milliseconds. */
    private static final Duration GRACE = Duration.ofSeconds(1);

    private final Path run;
    private final long epoch;
    private final Duration patience;

    /** What is to happen only while the epoch is the newest. */
    @FunctionalInterface
    public interface Action<T> {
        T run() throws IOException;
    }

    /** The process that writes for {@code epoch}. */
    record Writer(long epoch, ProcessIdentity process) {}

    private Fence(Path run, long epoch, Duration patience) {
        this.run = run;
        this.epoch = epoch;
        this.patience = patience;
    }

    /**
     * Begins the next epoch of {@code run} and ends the writer of an earlier one where it still runs, which is said to
     * {@code notices}. When this returns, no earlier epoch can write, also after a power cut.
     *
     * @param patience longest wait for the lock, here and at each commit
     * @throws IOException when the lock cannot be had and its holder cannot be ended from here
     */
    public static Fence acquire(Path run, Duration patience, Consumer<String> notices) throws IOException {
        return acquire(run, 0, patience, notices);
    }

    /**
     * The same, for a run that has been worked on elsewhere.
     *
     * @param elsewhere the newest epoch that began there; the next one is later
     */
    public static Fence acquire(Path run, long elsewhere, Duration patience, Consumer<String> notices)
            throws IOException {
        DurableFiles.createFolder(folder(run));
        Optional<RunLock> lock =
                RunLock.take(folder(run).resolve("lock"), patience.compareTo(GRACE) < 0 ? patience : GRACE);
        if (lock.isEmpty()) {
            endWriter(run, "and held the lock", notices);
            lock = Optional.of(lock(run, patience));
        }
        try (RunLock _ = lock.get()) {
            DurableFiles.sweep(folder(run), Duration.ZERO); // who writes here has the lock
            long epoch = Math.max(newest(run), elsewhere) + 1;
            DurableFiles.write(folder(run).resolve("epoch"), (epoch + "\n").getBytes(StandardCharsets.US_ASCII));
            endWriter(run, "after epoch " + epoch + " began", notices);
            return new Fence(run, epoch, patience);
        }
    }

    /**
     * Makes this process the writer of an epoch that was acquired for it.
     *
     * @throws FencedException when a later epoch has begun
     */
    public static Fence join(Path run, long epoch, Duration patience) throws IOException {
        Fence fence = new Fence(run, epoch, patience);
        Writer self = new Writer(epoch, ProcessIdentity.current());
        return fence.commit(() -> {
            DurableFiles.write(folder(run).resolve("writer"), Json.MAPPER.writeValueAsBytes(self));
            return fence;
        });
    }

    /** This process writes no more for its epoch, and must not be ended as the writer of one. */
    public void leave() throws IOException {
        commit(() -> Files.deleteIfExists(folder(run).resolve("writer")));
    }

    public long epoch() {
        return epoch;
    }

    /** Whether no later epoch has begun; may be out of date as soon as it is answered. */
    public boolean isNewest() throws IOException {
        return newest(run) == epoch;
    }

    /**
     * Runs {@code action} while nothing else commits to the run and the epoch is the newest; may be nested. Keep it short: do
     * slow work before, and here only what makes it visible.
     *
     * @throws FencedException when a later epoch has begun; {@code action} was not run
     */
    public <T> T commit(Action<T> action) throws IOException {
        try (RunLock _ = lock(run, patience)) {
            long newest = newest(run);
            if (newest != epoch) {
                throw new FencedException(run, epoch, newest);
            }
            return action.run();
        }
    }

    private static RunLock lock(Path run, Duration patience) throws IOException {
        Path file = folder(run).resolve("lock");
        if (!Files.isDirectory(folder(run))) {
            throw new IOException("no epoch was ever acquired in " + run + ": " + folder(run) + " does not exist");
        }
        Optional<RunLock> lock = RunLock.take(file, patience);
        if (lock.isEmpty()) {
            Optional<Writer> writer = writer(run);
            throw new IOException(file + " is held by another process for more than " + patience.toSeconds() + " s"
                    + writer.map(w -> "; the last known writer is " + w.process() + " of epoch " + w.epoch())
                            .orElse("")
                    + ". End that process if it hangs");
        }
        return lock.get();
    }

    /** The newest epoch of {@code run}; 0 before the first. */
    public static long newest(Path run) throws IOException {
        Path file = folder(run).resolve("epoch");
        try {
            String text = Files.readString(file, StandardCharsets.ISO_8859_1).strip();
            if (!text.matches("[0-9]{1,18}")) {
                throw new InvalidFileException(
                        file, "content", InvalidFileException.quote(text) + " must be the number of the newest epoch");
            }
            return Long.parseLong(text);
        } catch (NoSuchFileException none) {
            return 0;
        }
    }

    private static Optional<Writer> writer(Path run) throws IOException {
        try {
            return Optional.of(
                    Json.MAPPER.readValue(Files.readAllBytes(folder(run).resolve("writer")), Writer.class));
        } catch (NoSuchFileException | JsonProcessingException unknown) {
            return Optional.empty(); // it only helps to end a zombie early; the epoch is what fences it off
        }
    }

    private static void endWriter(Path run, String when, Consumer<String> notices) throws IOException {
        Optional<Writer> writer = writer(run);
        if (writer.isEmpty() || writer.get().process().equals(ProcessIdentity.current())) {
            return;
        }
        ProcessIdentity process = writer.get().process();
        Optional<ProcessHandle> handle = process.find();
        if (handle.isEmpty()) {
            return;
        }
        handle.get().destroyForcibly();
        try {
            handle.get().onExit().get(10, TimeUnit.SECONDS);
        } catch (TimeoutException | ExecutionException slow) {
            notices.accept(
                    process + ", the trainer of epoch " + writer.get().epoch() + ", was killed but is not gone yet");
            return;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return;
        }
        notices.accept(process + ", the trainer of epoch " + writer.get().epoch() + ", was still there " + when
                + ": killed it");
    }

    private static Path folder(Path run) {
        return run.resolve(".fence");
    }
}
