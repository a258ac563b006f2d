package pacer.activities.run;

import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityMethod;

/** What a host is asked when it has not begun something for long. */
@ActivityInterface
public interface HostActivity {
    /** Answers, which tells a host that is busy from one that is gone. */
    @ActivityMethod(name = "AnswerForHost")
    void answer();
}
