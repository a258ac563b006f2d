package pacer.activities.notification;

import io.temporal.activity.Activity;
import java.util.Map;
import java.util.function.Function;

/**
 * {@link Notifier} as a Temporal activity.
 *
 * @param pages addresses of a workflow's own pages, of its id
 */
public record NotificationActivityImpl(Notifier notifier, Function<String, Map<String, String>> pages)
        implements NotificationActivity {
    @Override
    public void tell(RunNotice notice) {
        notifier.lost(
                notice, pages.apply(Activity.getExecutionContext().getInfo().getWorkflowId()));
    }
}
