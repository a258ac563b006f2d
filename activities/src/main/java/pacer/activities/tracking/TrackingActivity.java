package pacer.activities.tracking;

import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityMethod;

/** Sends a run to MLflow while it is worked on. */
@ActivityInterface
public interface TrackingActivity {
    @ActivityMethod(name = "Track")
    TrackingResult track(TrackingRequest request);
}
