package pacer.activities.training;

import io.temporal.activity.Activity;
import pacer.activities.run.ActivityStage;
import pacer.activities.run.Home;
import pacer.activities.run.RunHub;
import pacer.activities.run.Stage;

/** {@link Training} as a Temporal activity. */
public final class TrainingActivityImpl implements TrainingActivity {
    private final Training training;
    private final Home home;
    private final RunHub hub;

    public TrainingActivityImpl(Training training, Home home, RunHub hub) {
        this.training = training;
        this.home = home;
        this.hub = hub;
    }

    @Override
    public TrainingResult train(TrainingRequest request) {
        String owner = Activity.getExecutionContext().getInfo().getWorkflowRunId();
        return ActivityStage.run(
                Stage.TRAIN, request.run(), home, hub, context -> training.train(request, owner, context));
    }
}
