package pacer.activities.run;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Predicate;

/**
 * Runs the stages of runs and keeps their records in {@code run.json}: begun, done, reused, failed, stopped. A stage whose
 * record is done for the same key is not done again.
 */
public final class StageLog {
    private final Home home;
    private final RunHub hub;
    private final Clock clock;

    public StageLog(Home home, RunHub hub, Clock clock) {
        this.home = home;
        this.hub = hub;
        this.clock = clock;
    }

    /** The work of a stage. */
    @FunctionalInterface
    public interface Body<T extends StageResult> {
        T run() throws IOException, InterruptedException;
    }

    /**
     * Runs {@code body} as {@code stage} of the run {@code id}.
     *
     * @param key hash of everything that determines the result
     * @param stillGood whether an earlier result's files are still there; else the body runs again
     */
    public <T extends StageResult> T run(
            String id, Stage stage, String key, Class<T> type, Predicate<T> stillGood, Body<T> body)
            throws IOException, InterruptedException {
        RunFolder folder = home.run(id);
        StageRecord before = folder.read().stage(stage).orElse(null);
        if (before != null && before.doneFor(key)) {
            T earlier = before.resultAs(type);
            if (stillGood.test(earlier)) {
                end(
                        folder,
                        new StageRecord(
                                stage,
                                StageRecord.Status.DONE,
                                key,
                                before.started(),
                                before.ended(),
                                before.seconds(),
                                before.attempts(),
                                true,
                                earlier.summary(),
                                before.result()));
                return earlier;
            }
        }
        boolean sameKey = before != null && key.equals(before.key());
        Instant begun = clock.instant();
        StageRecord running = new StageRecord(
                stage,
                StageRecord.Status.RUNNING,
                key,
                sameKey ? before.started() : begun,
                null,
                sameKey ? before.seconds() : 0,
                sameKey ? before.attempts() + 1 : 1,
                false,
                null,
                null);
        folder.update(r -> r.withStage(running));
        hub.tell(id, new RunUpdate.StageStarted(stage));
        try {
            T result = body.run();
            JsonNode json = RunJson.MAPPER.valueToTree(result);
            end(folder, ended(running, begun, StageRecord.Status.DONE, result.reused(), result.summary(), json));
            return result;
        } catch (StoppedException e) {
            StageRecord.Status how =
                    e.stop() == StageContext.Stop.ABANDONED ? StageRecord.Status.FAILED : StageRecord.Status.STOPPED;
            end(folder, ended(running, begun, how, false, e.getMessage(), null));
            throw e;
        } catch (IOException | InterruptedException | RuntimeException e) {
            end(folder, ended(running, begun, StageRecord.Status.FAILED, false, reason(e), null));
            throw e;
        }
    }

    private StageRecord ended(
            StageRecord running,
            Instant begun,
            StageRecord.Status how,
            boolean reused,
            String summary,
            JsonNode result) {
        Instant now = clock.instant();
        double worked = Math.max(0, Duration.between(begun, now).toNanos() / 1e9);
        return new StageRecord(
                running.stage(),
                how,
                running.key(),
                running.started(),
                now,
                running.seconds() + worked,
                running.attempts(),
                reused,
                summary,
                result);
    }

    private void end(RunFolder folder, StageRecord record) throws IOException {
        RunRecord now = folder.update(r -> ours(r, record) ? r.withStage(record) : r);
        if (now.stage(record.stage()).filter(record::equals).isPresent()) {
            hub.tell(folder.id(), new RunUpdate.StageEnded(record));
        }
    }

    /** A later attempt may have begun while this one was thought dead: then the record is that one's. */
    private static boolean ours(RunRecord run, StageRecord record) {
        return run.stage(record.stage())
                .filter(s -> s.attempts() == record.attempts() && s.key().equals(record.key()))
                .isPresent();
    }

    private static String reason(Exception e) {
        return e.getMessage() != null ? e.getMessage() : e.toString();
    }
}
