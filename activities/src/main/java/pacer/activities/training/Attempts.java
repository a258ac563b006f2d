package pacer.activities.training;

import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunJson;
import pacer.trainer.durable.DurableFiles;
import pacer.trainer.durable.FileGuard;
import pacer.trainer.durable.ProcessIdentity;

/**
 * {@code attempts.json} of a run's folder: each attempt at training, with the processes it started, so that a later one can
 * end what an earlier one left behind, and can tell whether trying again still gets anywhere.
 */
final class Attempts {
    private static final int KEPT = 100;
    private static final long KILL_SECONDS = 10;

    /**
     * One attempt.
     *
     * @param owner the workflow execution it belongs to
     * @param fromStep step of the checkpoint that it went on from; 0 from the beginning
     * @param processes one a rank
     * @param failure why it failed; null while it works, when it finished, was stopped, or was killed with its worker
     */
    record Attempt(
            long epoch, String owner, int fromStep, Instant started, List<ProcessIdentity> processes, String failure) {

        Attempt withProcesses(List<ProcessIdentity> started) {
            return new Attempt(epoch, owner, fromStep, this.started, List.copyOf(started), failure);
        }

        Attempt failed(String reason) {
            return new Attempt(epoch, owner, fromStep, started, processes, reason);
        }
    }

    private record Log(List<Attempt> attempts) {}

    private final Path file;

    Attempts(RunFolder folder) {
        this.file = folder.path().resolve("attempts.json");
    }

    List<Attempt> list() throws IOException {
        if (!Files.exists(file)) {
            return List.of();
        }
        Log log = RunJson.MAPPER.readValue(Files.readAllBytes(file), Log.class);
        if (log.attempts() == null) {
            throw new JsonParseException(null, "no attempts");
        }
        return log.attempts();
    }

    /** A damaged file must not keep the run from going on: what it told is lost, the fence keeps what it told of away. */
    void setAsideIfDamaged(Consumer<String> notices) throws IOException {
        try {
            list();
        } catch (JsonProcessingException e) {
            Path aside = file.resolveSibling(file.getFileName() + ".damaged");
            DurableFiles.move(file, aside);
            notices.accept(file + ": damaged (" + e.getOriginalMessage() + "); set aside as " + aside.getFileName());
        }
    }

    /** Writes {@code attempt} in place of the one of the same epoch; they stay in the order of their epochs. */
    void put(Attempt attempt) throws IOException, InterruptedException {
        // an attempt that was given up may still write down its end while the next one writes down its beginning
        try (FileGuard _ = FileGuard.take(file.resolveSibling(".attempts.lock"), () -> {})) {
            List<Attempt> all = new ArrayList<>(list());
            all.removeIf(a -> a.epoch() == attempt.epoch());
            all.add(attempt);
            all.sort(Comparator.comparingLong(Attempt::epoch)); // one that was given up may speak after its successor
            Log log = new Log(all.subList(Math.max(0, all.size() - KEPT), all.size()));
            DurableFiles.writeLocked(
                    file,
                    RunJson.MAPPER.writer(SerializationFeature.INDENT_OUTPUT).writeValueAsBytes(log));
        }
    }

    /**
     * Kills the processes of earlier attempts that still live on this machine.
     *
     * @return how many there were
     */
    int endOrphans() throws IOException, InterruptedException {
        int ended = 0;
        for (Attempt attempt : list()) {
            for (ProcessIdentity identity : attempt.processes()) {
                ProcessHandle process = identity.find().orElse(null);
                if (process == null) {
                    continue;
                }
                process.destroyForcibly();
                long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(KILL_SECONDS);
                while (identity.find().isPresent()) {
                    if (System.nanoTime() > deadline) {
                        throw new IOException("process " + identity.pid() + " of an earlier attempt (epoch "
                                + attempt.epoch() + ") does not end; kill it by hand");
                    }
                    Thread.sleep(20);
                }
                ended++;
            }
        }
        return ended;
    }

    /** Whether {@code owner} has tried before. */
    boolean tried(String owner) throws IOException {
        return list().stream().anyMatch(attempt -> attempt.owner().equals(owner));
    }

    /** How many of {@code owner}'s last attempts failed in a row without getting past the checkpoint of {@code step}. */
    int fruitless(String owner, int step) throws IOException {
        int count = 0;
        for (Attempt attempt : list().reversed()) {
            if (!attempt.owner().equals(owner) || attempt.fromStep() != step || attempt.failure() == null) {
                break;
            }
            count++;
        }
        return count;
    }
}
