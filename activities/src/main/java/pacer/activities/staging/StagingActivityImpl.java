package pacer.activities.staging;

import pacer.activities.run.ActivityStage;
import pacer.activities.run.Stage;

/** {@link Staging} as a Temporal activity. */
public record StagingActivityImpl(Staging staging, ActivityStage activity) implements StagingActivity {
    @Override
    public StagingResult stage(StagingRequest request) {
        return activity.run(Stage.STAGE, request.run(), context -> staging.stage(request, context));
    }
}
