package pacer.activities.run;

import io.temporal.activity.Activity;
import java.io.IOException;

/** {@link Runs} as Temporal activities. */
public final class RunActivityImpl implements RunActivity {
    private final Runs runs;

    public RunActivityImpl(Runs runs) {
        this.runs = runs;
    }

    @Override
    public RunPlan open(RunRequest request) {
        try {
            return runs.open(request, Activity.getExecutionContext().getInfo().getWorkflowId());
        } catch (IOException | BadInputException e) {
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
