package pacer.workflows;

import io.temporal.client.WorkflowFailedException;
import io.temporal.failure.ApplicationFailure;
import io.temporal.failure.CanceledFailure;
import io.temporal.failure.TerminatedFailure;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import pacer.activities.run.ActivityStage;

/** How a workflow that somebody waits for came to its end. */
sealed interface WorkflowEnding<T> {
    /** It has a result. */
    record Done<T>(T result) implements WorkflowEnding<T> {}

    /** Somebody asked for the end. */
    record Stopped<T>() implements WorkflowEnding<T> {}

    /**
     * It failed.
     *
     * @param reason in one line
     * @param type of the failure that it ended with; null where that was none of ours
     */
    record Failed<T>(String reason, String type) implements WorkflowEnding<T> {
        /** Whether what was given is at fault. */
        boolean refused() {
            return ActivityStage.BAD_INPUT.equals(type);
        }
    }

    /** Waits for {@code result} as long as this, or until it is there; what came of it {@link #of} says. */
    static void await(CompletableFuture<?> result, long millis) throws InterruptedException {
        try {
            result.copy().get(millis, TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException e) {
            return; // not yet, or told by the ending
        }
    }

    /**
     * What {@code result}, which is there, says.
     *
     * @throws pacer.activities.run.BadInputException when it is encrypted with a key that is not here
     */
    static <T> WorkflowEnding<T> of(CompletableFuture<T> result) {
        try {
            return new Done<>(result.join());
        } catch (CompletionException e) {
            RemoteProgress.throwUnreadable(e.getCause());
            if (!(e.getCause() instanceof WorkflowFailedException failed)) {
                throw e;
            }
            return switch (failed.getCause()) {
                case CanceledFailure _ -> new Stopped<>();
                case TerminatedFailure _ -> new Failed<>("the workflow was terminated", null);
                case ApplicationFailure failure -> new Failed<>(failure.getOriginalMessage(), failure.getType());
                case null -> new Failed<>(failed.getMessage(), null);
                default -> new Failed<>(failed.getCause().getMessage(), null);
            };
        }
    }
}
