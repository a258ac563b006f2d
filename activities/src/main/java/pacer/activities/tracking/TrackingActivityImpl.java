package pacer.activities.tracking;

import io.temporal.activity.Activity;
import io.temporal.activity.ActivityExecutionContext;
import io.temporal.client.ActivityCanceledException;
import io.temporal.client.ActivityCompletionException;
import io.temporal.client.WorkflowException;
import io.temporal.failure.ApplicationFailure;
import java.io.IOException;
import java.util.Optional;
import pacer.activities.run.ActivityStage;
import pacer.activities.run.Home;
import pacer.activities.run.Progress;
import pacer.activities.run.RunHub;
import pacer.activities.run.RunRecord;
import pacer.activities.run.RunUpdate;
import pacer.activities.run.Stage;
import pacer.activities.run.StageContext;
import pacer.activities.run.StoppedException;

/**
 * {@link Tracking} as a Temporal activity. It is no stage of the run: it holds no lease on it, and its failures are nobody's but its own.
 *
 * @param tracking empty where this worker's environment names no tracking server
 */
public record TrackingActivityImpl(Home home, Optional<Tracking> tracking, RunHub hub) implements TrackingActivity {
    @Override
    public TrackingResult track(TrackingRequest request) {
        Heart heart = new Heart(Activity.getExecutionContext(), request.run(), hub);
        try {
            Tracking body = tracking.orElseThrow(
                    () -> new IOException(
                            "this worker's environment names no MLFLOW_TRACKING_URI any more; set it and start the worker again"));
            return body.follow(home, request, heart, heart::tracked);
        } catch (StoppedException e) {
            throw heart.told != null ? heart.told : e;
        } catch (IOException | InterruptedException | RuntimeException e) {
            if (heart.context.getInfo().getAttempt() == 1) { // further attempts may be many, and say the same
                heart.notice(e.getMessage());
            }
            throw e instanceof TrackingException
                    ? ApplicationFailure.newFailure(
                            e.getMessage(), "Tracking") // whatever it says of permissions may be mended
                    : ActivityStage.failure(e);
        }
    }

    /** Heartbeats whenever the body asks whether to stop, which it does at least every second. */
    private static final class Heart implements StageContext {
        private final ActivityExecutionContext context;
        private final String run;
        private final RunHub hub;
        private volatile Progress newest;
        private ActivityCompletionException told;

        Heart(ActivityExecutionContext context, String run, RunHub hub) {
            this.context = context;
            this.run = run;
            this.hub = hub;
        }

        /** Tells the run's workflow, whose page links it. */
        void tracked(RunRecord record, String page) {
            if (record.workflowId() != null && page != null) {
                try {
                    context.getWorkflowClient()
                            .newUntypedWorkflowStub(record.workflowId())
                            .signal(ActivityStage.TRACKED_SIGNAL, page);
                } catch (WorkflowException e) {
                    return; // it is over, or the service is away: only a link is missed
                }
            }
        }

        @Override
        public void progress(Progress progress) {
            newest = progress;
        }

        @Override
        public void notice(String text) {
            hub.tell(run, new RunUpdate.Notice(Stage.PUBLISH, text));
        }

        @Override
        public Stop stop() {
            try {
                context.heartbeat(newest);
                return Stop.NONE;
            } catch (ActivityCompletionException e) {
                told = e;
                return e instanceof ActivityCanceledException ? Stop.REQUESTED : Stop.WORKER_SHUTDOWN;
            }
        }
    }
}
