package pacer.activities.run;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Predicate;

/**
 * Runs the stages of runs and keeps their records in {@code run.json}: begun, done, reused, failed, stopped. A stage whose
 * record is done for the same key is not done again.
 */
public final class StageLog {
    /** Time that an attempt loses at most where it is cut off: little beside starting it again, much beside writing a record. */
    private static final Duration PAUSE = Duration.ofSeconds(10);

    private final Home home;
    private final RunHub hub;
    private final Clock clock;
    private final LongSupplier nanos; // for durations: clocks are set, and go on while a machine sleeps
    private final Duration pause;

    public StageLog(Home home, RunHub hub, Clock clock) {
        this(home, hub, clock, System::nanoTime, PAUSE);
    }

    /** @param pause how often the time worked is written down while a stage works */
    StageLog(Home home, RunHub hub, Clock clock, LongSupplier nanos, Duration pause) {
        this.home = home;
        this.hub = hub;
        this.clock = clock;
        this.nanos = nanos;
        this.pause = pause;
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
     * @param context hears when the body fails, and says whether that is the end of the stage
     */
    public <T extends StageResult> T run(
            String id,
            Stage stage,
            String key,
            Class<T> type,
            Predicate<T> stillGood,
            StageContext context,
            Body<T> body)
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
        long begun = nanos.getAsLong();
        StageRecord running = new StageRecord(
                stage,
                StageRecord.Status.RUNNING,
                key,
                sameKey ? before.started() : clock.instant(),
                null,
                before == null ? 0 : before.seconds(), // also those of a result that did not last
                sameKey ? before.attempts() + 1 : 1,
                false,
                null,
                null);
        folder.update(r -> r.withStage(running));
        hub.tell(id, new RunUpdate.StageStarted(stage));
        T result;
        try (ScheduledExecutorService notes = notes()) {
            Future<?> _ = notes.scheduleWithFixedDelay(
                    () -> note(folder, running, begun), pause.toMillis(), pause.toMillis(), TimeUnit.MILLISECONDS);
            result = body.run();
        } catch (StoppedException e) {
            StageRecord.Status how =
                    e.stop() == StageContext.Stop.ABANDONED ? StageRecord.Status.FAILED : StageRecord.Status.STOPPED;
            end(folder, ended(running, begun, how, false, e.getMessage(), null), e, false);
            throw e;
        } catch (IOException | InterruptedException | RuntimeException e) {
            StageRecord failed = ended(running, begun, StageRecord.Status.FAILED, false, Reasons.of(e), null);
            end(folder, failed, e, context.again(e));
            throw e;
        }
        JsonNode json = RunJson.MAPPER.valueToTree(result);
        end(folder, ended(running, begun, StageRecord.Status.DONE, result.reused(), result.summary(), json));
        return result;
    }

    /** Its end waits for a note that is being written: none comes after the stage's end. */
    private static ScheduledExecutorService notes() {
        return Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().daemon().name("stage-time").factory());
    }

    /** Writes down how long a stage has worked so far: whatever cuts it off leaves no time for that. */
    private void note(RunFolder folder, StageRecord running, long begun) {
        try {
            store(folder, running.after(worked(begun)));
        } catch (IOException e) {
            // only a time is lost; what else is wrong with the disk the stage itself will meet
        }
    }

    /** Ends a stage that did not come to its end; where its record cannot be written, {@code cause} is still what is told. */
    private void end(RunFolder folder, StageRecord record, Exception cause, boolean again) {
        boolean told = true;
        try {
            told = store(folder, record);
        } catch (IOException e) {
            cause.addSuppressed(e);
        }
        if (told && !again) {
            hub.tell(folder.id(), new RunUpdate.StageEnded(record));
        }
    }

    private StageRecord ended(
            StageRecord running, long begun, StageRecord.Status how, boolean reused, String summary, JsonNode result) {
        return new StageRecord(
                running.stage(),
                how,
                running.key(),
                running.started(),
                clock.instant(),
                running.seconds() + worked(begun),
                running.attempts(),
                reused,
                summary,
                result);
    }

    private double worked(long begun) {
        return (nanos.getAsLong() - begun) / 1e9;
    }

    private void end(RunFolder folder, StageRecord record) throws IOException {
        if (store(folder, record)) {
            hub.tell(folder.id(), new RunUpdate.StageEnded(record));
        }
    }

    /** Whether the record is still this attempt's, and so is written now. */
    private static boolean store(RunFolder folder, StageRecord record) throws IOException {
        RunRecord now = folder.update(r -> ours(r, record) ? r.withStage(record) : r);
        return now.stage(record.stage()).filter(record::equals).isPresent();
    }

    /** A later attempt may have begun while this one was thought dead: then the record is that one's. */
    private static boolean ours(RunRecord run, StageRecord record) {
        return run.stage(record.stage())
                .filter(s -> s.attempts() == record.attempts() && s.key().equals(record.key()))
                .isPresent();
    }
}
