package pacer.activities.evaluation;

import pacer.activities.run.ActivityStage;
import pacer.activities.run.Stage;

/** {@link Evaluation} as a Temporal activity. */
public record EvaluationActivityImpl(Evaluation evaluation, ActivityStage activity) implements EvaluationActivity {
    @Override
    public EvaluationResult evaluate(EvaluationRequest request) {
        return activity.run(Stage.EVALUATE, request.run(), context -> evaluation.evaluate(request, context));
    }
}
