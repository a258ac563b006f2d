package pacer.activities.publishing;

import pacer.activities.run.ActivityStage;
import pacer.activities.run.Home;
import pacer.activities.run.RunHub;
import pacer.activities.run.Stage;

/** {@link Publishing} as a Temporal activity. */
public final class PublishingActivityImpl implements PublishingActivity {
    private final Publishing publishing;
    private final Home home;
    private final RunHub hub;

    public PublishingActivityImpl(Publishing publishing, Home home, RunHub hub) {
        this.publishing = publishing;
        this.home = home;
        this.hub = hub;
    }

    @Override
    public PublishingResult publish(PublishingRequest request) {
        return ActivityStage.run(
                Stage.PUBLISH, request.run(), home, hub, context -> publishing.publish(request, context));
    }
}
