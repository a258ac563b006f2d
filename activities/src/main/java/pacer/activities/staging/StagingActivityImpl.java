package pacer.activities.staging;

import pacer.activities.run.ActivityStage;
import pacer.activities.run.RunHub;
import pacer.activities.run.Stage;

/** {@link Staging} as a Temporal activity. */
public final class StagingActivityImpl implements StagingActivity {
    private final Staging staging;
    private final RunHub hub;

    public StagingActivityImpl(Staging staging, RunHub hub) {
        this.staging = staging;
        this.hub = hub;
    }

    @Override
    public StagingResult stage(StagingRequest request) {
        return ActivityStage.run(Stage.STAGE, request.run(), hub, context -> staging.stage(request, context));
    }
}
