package pacer.workflows;

import java.util.concurrent.CompletableFuture;

/**
 * How a record attempt or a sweep ended.
 *
 * @param result null where there is none
 * @param reason why there is none, in one line
 * @param refused whether what was given is at fault
 * @param stopped whether somebody asked for the end
 */
public record Outcome<T>(T result, String reason, boolean refused, boolean stopped) {

    /** What {@code result}, which is there, says. */
    static <T> Outcome<T> of(CompletableFuture<T> result) {
        return switch (WorkflowEnding.of(result)) {
            case WorkflowEnding.Done<T>(T came) -> new Outcome<>(came, null, false, false);
            case WorkflowEnding.Stopped<T> _ -> new Outcome<>(null, "stopped on request", false, true);
            case WorkflowEnding.Failed<T> failed -> new Outcome<>(null, failed.reason(), failed.refused(), false);
        };
    }
}
