package pacer.activities.run;

import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityMethod;

/** Opens and closes the records of runs. */
@ActivityInterface
public interface RunActivity {
    @ActivityMethod(name = "OpenRun")
    RunPlan open(RunRequest request);

    @ActivityMethod(name = "AmendRun")
    int amend(RunAmendment amendment);

    @ActivityMethod(name = "CloseRun")
    void close(RunEnding ending);
}
