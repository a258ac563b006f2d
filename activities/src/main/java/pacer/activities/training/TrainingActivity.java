package pacer.activities.training;

import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityMethod;

/** Optimizer steps, by trainer processes of the host that the activity runs on. */
@ActivityInterface
public interface TrainingActivity {
    @ActivityMethod(name = "Train")
    TrainingResult train(TrainingRequest request);
}
