package pacer.activities.publishing;

import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityMethod;

/** Metrics, samples, report and verdict of a run. */
@ActivityInterface
public interface PublishingActivity {
    @ActivityMethod(name = "Publish")
    PublishingResult publish(PublishingRequest request);
}
