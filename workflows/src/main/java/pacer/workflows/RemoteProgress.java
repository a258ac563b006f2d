package pacer.workflows;

import io.temporal.client.WorkflowException;
import io.temporal.client.WorkflowServiceException;
import io.temporal.client.WorkflowStub;
import java.time.Duration;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import pacer.activities.run.BadInputException;
import pacer.activities.run.Progress;
import pacer.activities.run.RunUpdate;
import pacer.activities.run.Stage;
import pacer.activities.run.StageRecord;
import pacer.workflows.PipelineProgress.StageLine;

/** Makes updates out of what a workflow elsewhere answers to the query {@code progress}. */
final class RemoteProgress {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final WorkflowStub workflow;
    private final Map<Stage, String> told = new HashMap<>();
    private final LongSupplier clock;
    private Progress last;
    private long answered;
    private boolean said;
    private boolean paused;
    private String link;
    private String notice;

    /** @param clock nanoseconds, from anywhere */
    RemoteProgress(WorkflowStub workflow, LongSupplier clock) {
        this.workflow = workflow;
        this.clock = clock;
        this.answered = clock.getAsLong();
    }

    void poll(Consumer<RunUpdate> listener) {
        PipelineProgress progress;
        try {
            progress = workflow.query("progress", PipelineProgress.class);
        } catch (WorkflowException e) {
            throwUnreadable(e);
            missed(listener); // no worker answers at the moment; the run's end is heard of all the same
            return;
        }
        answered = clock.getAsLong();
        said = false;
        for (StageLine line : progress.stages()) {
            String before = told.put(line.stage(), line.state());
            if (before == null) {
                listener.accept(new RunUpdate.StageStarted(line.stage()));
            }
            if (!line.state().equals("running") && !line.state().equals(before)) {
                listener.accept(new RunUpdate.StageEnded(record(line)));
            }
        }
        if (progress.now() != null && !progress.now().equals(last)) {
            last = progress.now();
            listener.accept(new RunUpdate.Advanced(progress.paused() ? last.atRest() : last));
        }
        boolean training = progress.stages().stream()
                .anyMatch(line -> line.stage() == Stage.TRAIN && line.state().equals("running"));
        if (progress.paused() != paused && training) { // else it has ended
            paused = progress.paused();
            tellPause(listener);
        }
        tellLink(progress, listener);
        tellNotice(progress, listener);
    }

    private void tellPause(Consumer<RunUpdate> listener) {
        listener.accept(new RunUpdate.Notice(
                Stage.TRAIN,
                paused
                        ? "paused; the update resume goes on (its page in Temporal's UI, or temporal workflow update execute)"
                        : "it goes on"));
        if (last != null) {
            listener.accept(new RunUpdate.Advanced(paused ? last.atRest() : last));
        }
    }

    private void tellLink(PipelineProgress progress, Consumer<RunUpdate> listener) {
        String tracked = progress.links() == null ? null : progress.links().get(RunLinks.MLFLOW_RUN);
        if (tracked != null && !tracked.equals(link)) {
            link = tracked;
            listener.accept(new RunUpdate.Linked("MLflow", tracked));
        }
    }

    private void tellNotice(PipelineProgress progress, Consumer<RunUpdate> listener) {
        if (progress.notice() != null && !progress.notice().equals(notice)) {
            notice = progress.notice();
            listener.accept(new RunUpdate.Notice(Stage.PUBLISH, notice));
        }
    }

    /** What is encrypted with a key that is not here stays so, however often it is asked for. */
    static void throwUnreadable(Throwable failure) {
        if (failure instanceof WorkflowServiceException service
                && service.getCause() instanceof BadInputException unreadable) {
            throw unreadable;
        }
    }

    private void missed(Consumer<RunUpdate> listener) {
        if (!said && clock.getAsLong() - answered > PATIENCE.toNanos()) {
            said = true;
            listener.accept(new RunUpdate.Notice(
                    last == null ? Stage.DATASET : last.stage(),
                    "no worker has answered for this run for " + PATIENCE.toSeconds()
                            + " s; it goes on once one listens on the service: start a worker on the machine that has the run's"
                            + " folder, or stop the run with Ctrl-C"));
        }
    }

    private static StageRecord record(StageLine line) {
        StageRecord.Status status = StageRecord.Status.valueOf(line.state().toUpperCase(Locale.ROOT));
        double seconds = line.seconds() == null ? 0 : line.seconds(); // of an older worker
        return new StageRecord(line.stage(), status, null, null, null, seconds, 1, false, line.summary(), null);
    }
}
