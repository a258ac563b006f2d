package pacer.activities.publishing;

import pacer.activities.run.ActivityStage;
import pacer.activities.run.RunHub;
import pacer.activities.run.Stage;

/** {@link Publishing} as a Temporal activity. */
public final class PublishingActivityImpl implements PublishingActivity {
    private final Publishing publishing;
    private final RunHub hub;

    public PublishingActivityImpl(Publishing publishing, RunHub hub) {
        this.publishing = publishing;
        this.hub = hub;
    }

    @Override
    public PublishingResult publish(PublishingRequest request) {
        return ActivityStage.run(Stage.PUBLISH, request.run(), hub, context -> publishing.publish(request, context));
    }
}
