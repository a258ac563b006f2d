package pacer.activities.staging;

import pacer.activities.run.ActivityStage;
import pacer.activities.run.Home;
import pacer.activities.run.RunHub;
import pacer.activities.run.Stage;

/** {@link Staging} as a Temporal activity. */
public final class StagingActivityImpl implements StagingActivity {
    private final Staging staging;
    private final Home home;
    private final RunHub hub;

    public StagingActivityImpl(Staging staging, Home home, RunHub hub) {
        this.staging = staging;
        this.home = home;
        this.hub = hub;
    }

    @Override
    public StagingResult stage(StagingRequest request) {
        return ActivityStage.run(Stage.STAGE, request.run(), home, hub, context -> staging.stage(request, context));
    }
}
