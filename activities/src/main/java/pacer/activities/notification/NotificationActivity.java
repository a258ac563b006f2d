package pacer.activities.notification;

import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityMethod;

/** Tells people of a run for a host that cannot. */
@ActivityInterface
public interface NotificationActivity {
    @ActivityMethod(name = "TellOfRun")
    void tell(RunNotice notice);
}
