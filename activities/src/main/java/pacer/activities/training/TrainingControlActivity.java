package pacer.activities.training;

import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityMethod;

/** What is asked of a training at work on the host that the activity runs on. */
@ActivityInterface
public interface TrainingControlActivity {
    /** Has the training of {@code run} write a checkpoint after the step at work; its name, once it is written. */
    @ActivityMethod(name = "CheckpointNow")
    String checkpoint(String run);
}
