package pacer.activities.publishing;

import pacer.activities.run.ActivityStage;
import pacer.activities.run.Stage;

/** {@link Publishing} as a Temporal activity. */
public record PublishingActivityImpl(Publishing publishing, ActivityStage activity) implements PublishingActivity {
    @Override
    public PublishingResult publish(PublishingRequest request) {
        return activity.run(Stage.PUBLISH, request.run(), context -> publishing.publish(request, context));
    }
}
