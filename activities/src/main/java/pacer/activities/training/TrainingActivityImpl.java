package pacer.activities.training;

import io.temporal.activity.Activity;
import pacer.activities.run.ActivityStage;
import pacer.activities.run.Stage;

/** {@link Training} as a Temporal activity. */
public record TrainingActivityImpl(Training training, ActivityStage activity) implements TrainingActivity {
    @Override
    public TrainingResult train(TrainingRequest request) {
        String owner = Activity.getExecutionContext().getInfo().getWorkflowRunId();
        return activity.run(Stage.TRAIN, request.run(), context -> training.train(request, owner, context));
    }
}
