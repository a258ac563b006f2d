package pacer.activities.evaluation;

import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityMethod;

/** Validation loss and samples of a checkpoint. */
@ActivityInterface
public interface EvaluationActivity {
    @ActivityMethod(name = "Evaluate")
    EvaluationResult evaluate(EvaluationRequest request);
}
