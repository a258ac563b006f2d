package pacer.workflows;

import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import pacer.activities.run.Home;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunId;
import pacer.activities.run.RunIndex;
import pacer.activities.run.RunLease;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecHash;

/**
 * A run's name that this process may work under. Where no other process's service knows of it, a lease keeps other processes
 * of this machine away from it; elsewhere the service itself does.
 *
 * @param resumed whether there is such a run already
 * @param lease null where none is needed
 * @param beside an unfinished run of the same spec that is another's, where a new one begins for that reason; else null
 */
public record RunClaim(String id, boolean resumed, RunLease lease, String beside) {

    /** The newest unfinished run of {@code spec} that is free, else a new name; leased, for a process that trains by itself. */
    public static RunClaim leased(Home home, RunSpec spec, boolean fresh) throws IOException {
        return of(home, spec, fresh, 1, true);
    }

    /**
     * The newest unfinished run of {@code spec} that is free, else a new name.
     *
     * @param fresh whether only a new name will do
     * @param attempt 1, and more when the names of earlier attempts were taken
     */
    static RunClaim of(Home home, RunSpec spec, boolean fresh, int attempt, boolean leased) throws IOException {
        List<RunIndex.Entry> equal = fresh ? List.of() : unfinished(home, SpecHash.of(spec));
        Optional<RunIndex.Entry> found =
                equal.stream().filter(e -> e.is(free(leased))).findFirst();
        if (found.isPresent() && !leased) {
            return new RunClaim(found.get().folder().id(), true, null, null);
        }
        if (found.isPresent()) {
            Optional<RunLease> lease = found.get().folder().tryLease();
            if (lease.isPresent()) {
                return new RunClaim(found.get().folder().id(), true, lease.get(), null);
            }
        }
        String beside = equal.stream()
                .filter(e -> e.is(Predicate.not(free(leased))))
                .map(busy -> busy.folder().id())
                .findFirst()
                .orElse(null);
        return leased
                ? leasedAnew(home, spec, beside)
                : new RunClaim(RunId.of(spec.name(), Instant.now(), attempt), false, null, beside);
    }

    private static List<RunIndex.Entry> unfinished(Home home, String specHash) throws IOException {
        return new RunIndex(home.runs())
                .unfinished().stream()
                        .filter(e -> specHash.equals(e.record().specHash()))
                        .toList();
    }

    /**
     * The run of {@code entry}.
     *
     * @throws IOException when another process has it
     */
    static RunClaim of(RunIndex.Entry entry, boolean leased) throws IOException {
        String id = entry.record().id();
        if (!leased && !entry.folder().leasedPrivately()) {
            return new RunClaim(id, true, null, null);
        }
        Optional<RunLease> lease = leased ? entry.folder().tryLease() : Optional.empty();
        return new RunClaim(
                id,
                true,
                lease.orElseThrow(() -> new IOException("run " + id + " is being worked on by another process")),
                null);
    }

    /**
     * Which unfinished runs can be gone on with: those that nobody works on, nor a service elsewhere will, and, where that service does
     * the work, those that its own workers work on, which are joined there.
     *
     * @param here whether the work is done in this process
     */
    public static Predicate<RunIndex.Entry> free(boolean here) {
        return run -> here
                ? !run.folder().leased() && !run.isServices()
                : !run.folder().leasedPrivately();
    }

    private static RunClaim leasedAnew(Home home, RunSpec spec, String beside) throws IOException {
        Instant now = Instant.now();
        for (int attempt = 1; ; attempt++) {
            RunFolder folder = home.run(RunId.of(spec.name(), now, attempt));
            Optional<RunLease> lease = folder.tryLease();
            if (lease.isEmpty() && beside == null && sameBegins(folder, spec)) {
                beside = folder.id();
            }
            if (lease.isPresent() && !folder.exists()) {
                return new RunClaim(folder.id(), false, lease.get(), beside);
            }
            if (lease.isPresent()) {
                lease.get().close();
            }
        }
    }

    /** What a person should know before a second run of the same settings begins; empty where there is nothing of the kind. */
    public Optional<String> notice() {
        return Optional.ofNullable(beside)
                .map(
                        busy -> "run " + busy
                                + " of the same settings is being worked on by another process, or waits in a Temporal service; this is a new one");
    }

    /** Whether the run in {@code folder}, which another process has taken, is or soon will be one of {@code spec}. */
    private static boolean sameBegins(RunFolder folder, RunSpec spec) {
        try {
            return !folder.exists() || folder.read().specHash().equals(SpecHash.of(spec));
        } catch (IOException e) {
            return false;
        }
    }

    /** Lets others have it. */
    public void release() throws IOException {
        if (lease != null) {
            lease.close();
        }
    }
}
