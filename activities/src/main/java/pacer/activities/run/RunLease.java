package pacer.activities.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import pacer.trainer.durable.FileGuard;

/**
 * The right to work on a run: one process at a time has it, and all that work on the run in this process share it. Beside it
 * lies on whose behalf it was taken, so that a worker whose service believes another one dead is not kept out by that one.
 */
public final class RunLease implements AutoCloseable {
    /** Whoever looks whether a run is leased takes the lease for a moment: that is no reason to refuse. */
    private static final Duration PATIENCE = Duration.ofSeconds(1);

    private static final long PAUSE_MILLIS = 20;
    private static final Map<Path, RunLease> HELD = new HashMap<>();

    private final Path file;
    private final FileGuard guard; // null where it is another's, whom the service has given up
    private int sharers = 1;

    private RunLease(Path file, FileGuard guard) {
        this.file = file;
        this.guard = guard;
    }

    /** Takes it for a process that works on its own behalf; empty when anyone has it, in this process too. */
    static Optional<RunLease> tryTake(RunFolder folder) throws IOException {
        Path file = file(folder);
        try {
            return patiently(() -> take(file, ""));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }

    /**
     * Takes it, or shares what this process has.
     *
     * @param owner the workflow execution on whose behalf
     * @throws IOException when another process has it for anyone else
     */
    static RunLease join(RunFolder folder, String owner) throws IOException, InterruptedException {
        Path file = file(folder);
        Optional<RunLease> lease = patiently(() -> share(file, owner));
        if (lease.isPresent()) {
            return lease.get();
        }
        if (owner.equals(owner(file))) {
            // its service gave the other attempt up, else there were no second one; the fence keeps that from writing
            return new RunLease(file, null);
        }
        throw new IOException(file + ": another process works on run " + folder.id()
                + " and not for this workflow; wait for its end or stop it, then go on with the run");
    }

    /** Whether anybody has it now. */
    static boolean isHeld(RunFolder folder) throws IOException {
        Path file = file(folder);
        if (!Files.exists(file)) {
            return false;
        }
        synchronized (HELD) {
            if (HELD.containsKey(file)) {
                return true;
            }
            Optional<FileGuard> guard = FileGuard.tryTake(file);
            if (guard.isPresent()) {
                guard.get().close();
            }
            return guard.isEmpty();
        }
    }

    /** Whether the last to take it works on behalf of a workflow of a service elsewhere. */
    static boolean isForWorkflow(RunFolder folder) throws IOException {
        return !owner(file(folder)).isEmpty();
    }

    @FunctionalInterface
    private interface Try {
        Optional<RunLease> now() throws IOException;
    }

    private static Optional<RunLease> patiently(Try attempt) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        Optional<RunLease> lease = attempt.now();
        while (lease.isEmpty() && System.nanoTime() < deadline) {
            Thread.sleep(PAUSE_MILLIS);
            lease = attempt.now();
        }
        return lease;
    }

    private static Optional<RunLease> share(Path file, String owner) throws IOException {
        synchronized (HELD) {
            RunLease held = HELD.get(file);
            if (held == null) {
                return take(file, owner);
            }
            held.sharers++;
            return Optional.of(held);
        }
    }

    private static Optional<RunLease> take(Path file, String owner) throws IOException {
        synchronized (HELD) {
            Optional<FileGuard> guard = HELD.containsKey(file) ? Optional.empty() : FileGuard.tryTake(file);
            if (guard.isEmpty()) {
                return Optional.empty();
            }
            RunLease lease = new RunLease(file, guard.get());
            HELD.put(file, lease);
            Files.writeString(ownerFile(file), owner);
            return Optional.of(lease);
        }
    }

    private static String owner(Path file) throws IOException {
        return Files.exists(ownerFile(file)) ? Files.readString(ownerFile(file)) : "";
    }

    private static Path file(RunFolder folder) {
        return folder.path().toAbsolutePath().normalize().resolve(".lease");
    }

    /** A file of its own: to open the lock's and close it would drop the lock. */
    private static Path ownerFile(Path file) {
        return file.resolveSibling(".lease-owner");
    }

    @Override
    public void close() throws IOException {
        synchronized (HELD) {
            sharers--;
            if (guard != null && sharers == 0) {
                HELD.remove(file);
                guard.close();
            }
        }
    }
}
