package pacer.workflows;

import io.temporal.api.enums.v1.RetryState;
import io.temporal.failure.ActivityFailure;
import io.temporal.failure.CanceledFailure;
import io.temporal.workflow.CancellationScope;
import io.temporal.workflow.Workflow;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

/**
 * What updates of the workflow ask of its training. A pause, and a change of where training ends, interrupt the training's attempt, which writes a
 * checkpoint; another one goes on from there, so that no bit of what is trained differs.
 */
final class Steering {
    /** Why a run ended that somebody stopped; the webhook is not told of it. */
    static final String ON_REQUEST = "stopped on request";

    private CancellationScope attempt; // null while none is at work
    private boolean interrupted;
    private boolean orderly; // how the last interrupted attempt ended
    private boolean paused;
    private boolean changing;

    /** Runs attempts of {@code training} until one comes to its end, with whatever was asked meanwhile. */
    <T> T train(Supplier<T> training) {
        while (true) {
            Workflow.await(() -> !paused && !changing);
            AtomicReference<T> result = new AtomicReference<>();
            CancellationScope scope = Workflow.newCancellationScope(() -> result.set(training.get()));
            attempt = scope;
            interrupted = false;
            try {
                scope.run();
            } catch (ActivityFailure e) {
                if (!interrupted || !endedOnRequest(e)) {
                    throw e;
                }
                orderly = e.getCause() instanceof CanceledFailure;
            } catch (CanceledFailure e) { // while it waited for hosts
                if (!interrupted) {
                    throw e;
                }
                orderly = true;
            } finally {
                attempt = null;
            }
            // it may have come to its end just when it was interrupted: the end that it was given then counts
            if (result.get() != null && !changing && !paused) {
                return result.get();
            }
        }
    }

    /**
     * Whether an activity ended because it was asked to: also where its host died instead of answering, as nothing is tried again after
     * that.
     */
    static boolean endedOnRequest(ActivityFailure e) {
        return e.getCause() instanceof CanceledFailure || e.getRetryState() == RetryState.RETRY_STATE_CANCEL_REQUESTED;
    }

    boolean isPaused() {
        return paused;
    }

    /**
     * Stops the attempt at work and returns when it has stopped.
     *
     * @return whether it had the time to write a checkpoint
     */
    boolean pause() {
        paused = true;
        orderly = true;
        interrupt("paused");
        return orderly;
    }

    void resume() {
        paused = false;
    }

    /** Runs {@code change} between two attempts. */
    <T> T change(Supplier<T> change) {
        Workflow.await(() -> !changing);
        changing = true;
        try {
            interrupt("where training ends is changed");
            return change.get();
        } finally {
            changing = false;
        }
    }

    private void interrupt(String why) {
        if (attempt != null) {
            interrupted = true;
            attempt.cancel(why);
            Workflow.await(() -> attempt == null);
        }
    }
}
