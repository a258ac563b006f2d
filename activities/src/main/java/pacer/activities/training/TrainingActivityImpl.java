package pacer.activities.training;

import io.temporal.activity.Activity;
import java.time.Duration;
import java.util.function.Consumer;
import pacer.activities.run.ActivityStage;
import pacer.activities.run.Stage;

/** {@link Training} as a Temporal activity. */
public record TrainingActivityImpl(Training training, ActivityStage activity) implements TrainingActivity {
    /** About how long it takes to gather hosts anew after a failure. */
    private static final Duration GATHERING = Duration.ofSeconds(10);

    @Override
    public TrainingResult train(TrainingRequest request) {
        String owner = Activity.getExecutionContext().getInfo().getWorkflowRunId();
        if (request.ensemble() == null) {
            return activity.run(Stage.TRAIN, request.run(), context -> training.train(request, owner, context));
        }
        Consumer<Meeting> invitation = ActivityStage.signaller(EnsembleActivity.MEETING_SIGNAL);
        return activity.runOnce(
                Stage.TRAIN,
                request.run(),
                GATHERING,
                request.ensemble().begun(),
                context -> training.train(request, owner, context, invitation));
    }
}
