package pacer.workflows;

import io.temporal.workflow.Workflow;
import pacer.activities.tracking.TrackingActivity;
import pacer.activities.tracking.TrackingResult;

/** One activity, tried until it is done: it goes on where the attempt before it ended. */
public final class TrackRunImpl implements TrackRun {
    private final Policies policies;

    TrackRunImpl(Policies policies) {
        this.policies = policies;
    }

    @Override
    public TrackingResult track(Input input) {
        return new Patience(policies, input.host())
                .await(p -> Workflow.newActivityStub(TrackingActivity.class, p.tracking(input.host()))
                        .track(input.request()));
    }
}
