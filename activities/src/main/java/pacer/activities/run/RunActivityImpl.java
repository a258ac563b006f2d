package pacer.activities.run;

import io.temporal.activity.Activity;
import io.temporal.activity.ActivityInfo;
import java.io.IOException;
import pacer.trainer.spec.SpecException;

/** {@link Runs} as Temporal activities. */
public final class RunActivityImpl implements RunActivity {
    private final Runs runs;

    public RunActivityImpl(Runs runs) {
        this.runs = runs;
    }

    @Override
    public RunPlan open(RunRequest request) {
        try {
            ActivityInfo info = Activity.getExecutionContext().getInfo();
            return runs.open(request, info.getWorkflowId(), info.getWorkflowRunId());
        } catch (IOException | BadInputException | SpecException e) {
            throw ActivityStage.failure(e);
        }
    }

    @Override
    public void close(RunEnding ending) {
        try {
            runs.close(ending);
        } catch (IOException e) {
            throw ActivityStage.failure(e);
        }
    }
}
