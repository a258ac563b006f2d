package pacer.activities.evaluation;

import pacer.activities.run.ActivityStage;
import pacer.activities.run.Home;
import pacer.activities.run.RunHub;
import pacer.activities.run.Stage;

/** {@link Evaluation} as a Temporal activity. */
public final class EvaluationActivityImpl implements EvaluationActivity {
    private final Evaluation evaluation;
    private final Home home;
    private final RunHub hub;

    public EvaluationActivityImpl(Evaluation evaluation, Home home, RunHub hub) {
        this.evaluation = evaluation;
        this.home = home;
        this.hub = hub;
    }

    @Override
    public EvaluationResult evaluate(EvaluationRequest request) {
        return ActivityStage.run(
                Stage.EVALUATE, request.run(), home, hub, context -> evaluation.evaluate(request, context));
    }
}
