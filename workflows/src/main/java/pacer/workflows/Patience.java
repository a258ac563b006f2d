package pacer.workflows;

import io.temporal.api.enums.v1.TimeoutType;
import io.temporal.failure.ActivityFailure;
import io.temporal.failure.ApplicationFailure;
import io.temporal.failure.TimeoutFailure;
import io.temporal.workflow.Workflow;
import java.util.function.Function;
import pacer.activities.run.HostActivity;

/**
 * How long work for a host waits for it. One that trains is rightly waited for, for days: its slot for training is taken, and yet a queue of
 * its own for this question is answered at once. So what nobody began for long is asked after there; where nobody answers either, the host is gone.
 */
final class Patience {
    /** Type of the failure of what waited for a host that is gone. */
    static final String HOST_GONE = "HostGone";

    private final Policies policies;
    private final String host;

    Patience(Policies policies, String host) {
        this.policies = policies;
        this.host = host;
    }

    /**
     * Does work on the host.
     *
     * @param work by policies whose host timeout is how long it waits this time: ever longer, as each time is an event of the history
     * @throws ApplicationFailure of type {@link #HOST_GONE} when nobody there has begun it for the limit, and nobody answers
     */
    <T> T await(Function<Policies, T> work) {
        for (Policies waiting = policies; ; waiting = waiting.moreSeldom()) {
            try {
                return work.apply(waiting);
            } catch (ActivityFailure e) {
                if (!neverBegun(e)) {
                    throw e;
                }
                requireAnswer(e);
            }
        }
    }

    /**
     * The same for what a host that is there mostly begins at once. Histories of before took what was not begun in time for a host that is gone,
     * without asking; it may have come back a moment later, or have its hands full.
     *
     * @throws ApplicationFailure as {@link #await}
     */
    <T> T atOnce(Function<Policies, T> work) {
        return await(waiting -> {
            try {
                return work.apply(waiting);
            } catch (ActivityFailure e) {
                boolean asked = !neverBegun(e)
                        || Workflow.getVersion("asked-before-gone", Workflow.DEFAULT_VERSION, 1)
                                > Workflow.DEFAULT_VERSION;
                throw asked ? e : gone(e);
            }
        });
    }

    private void requireAnswer(ActivityFailure waited) {
        boolean apart = Workflow.getVersion("asked-apart", Workflow.DEFAULT_VERSION, 1) > Workflow.DEFAULT_VERSION;
        if (apart && answers(TaskQueues.alive(host))) {
            return;
        }
        // where histories of before asked, and where a host that is not upgraded yet answers
        if (!answers(TaskQueues.data(host))) {
            throw gone(waited);
        }
    }

    private boolean answers(String queue) {
        try {
            Workflow.newActivityStub(HostActivity.class, policies.answer(queue)).answer();
            return true;
        } catch (ActivityFailure e) {
            if (neverBegun(e)) {
                return false;
            }
            if (e.getCause() instanceof ApplicationFailure) {
                return true; // of a version that does not know the question: it is there
            }
            throw e;
        }
    }

    private ApplicationFailure gone(ActivityFailure waited) {
        return ApplicationFailure.newNonRetryableFailureWithCause(
                "host " + host
                        + " does not answer, and has not begun in time (PACER_HOST_TIMEOUT) what this run waits for; start its worker and"
                        + " resume the run, or, where the host is gone for good and there is a store (PACER_STORE), go on on another: pacer resume"
                        + " with the run's whole id",
                HOST_GONE,
                waited);
    }

    /** Whether nobody took it. */
    static boolean neverBegun(ActivityFailure e) {
        return e.getCause() instanceof TimeoutFailure timeout
                && timeout.getTimeoutType() == TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START;
    }
}
