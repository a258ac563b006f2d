package pacer.activities.run;

import io.temporal.activity.Activity;
import io.temporal.activity.ActivityInfo;
import java.io.IOException;

/** {@link Runs} as Temporal activities. */
public final class RunActivityImpl implements RunActivity {
    private final Runs runs;
    private final RunHub hub;
    private final boolean tracked;

    /** @param tracked whether the runs opened here are to be sent to a tracking server */
    public RunActivityImpl(Runs runs, RunHub hub, boolean tracked) {
        this.runs = runs;
        this.hub = hub;
        this.tracked = tracked;
    }

    @Override
    public RunPlan open(RunRequest request) {
        try {
            ActivityInfo info = Activity.getExecutionContext().getInfo();
            RunPlan plan = runs.open(request, info.getWorkflowId(), info.getWorkflowRunId());
            return tracked ? plan.withTracking() : plan;
        } catch (IOException | RuntimeException e) {
            throw told(request == null ? null : request.run(), Stage.DATASET, "the run was not opened", e);
        }
    }

    @Override
    public void close(RunEnding ending) {
        try {
            runs.close(ending);
        } catch (IOException | RuntimeException e) {
            throw told(ending.run(), Stage.PUBLISH, "the run's record was not closed", e);
        }
    }

    /** The failure by which the service hears of {@code e}; people hear of it now. */
    private RuntimeException told(String run, Stage stage, String what, Exception e) {
        RuntimeException failure = ActivityStage.failure(e);
        if (run != null) {
            ActivityInfo info = Activity.getExecutionContext().getInfo();
            String next = ActivityStage.pause(failure, info)
                    .map(pause -> "; trying again in " + Math.max(1, pause.toSeconds()) + " s")
                    .orElse("");
            hub.tell(run, new RunUpdate.Notice(stage, what + ": " + Reasons.of(e) + next));
        }
        return failure;
    }
}
