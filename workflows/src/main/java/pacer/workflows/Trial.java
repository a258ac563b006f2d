package pacer.workflows;

import io.temporal.failure.ApplicationFailure;
import io.temporal.failure.ChildWorkflowFailure;
import io.temporal.failure.TemporalFailure;
import java.util.function.Supplier;
import pacer.activities.run.ActivityStage;

/** One run of several that are compared: a child workflow. */
final class Trial {
    /** A run that failed by its machine is gone on with; the same seed gives the same bits, so that trying again favours nothing. */
    private static final int ATTEMPTS = 3;

    private Trial() {}

    /** What {@code once} comes to, which is done again where its run failed by its machine. */
    static <T> T insisted(Supplier<T> once) {
        for (int attempt = 1; ; attempt++) {
            try {
                return once.get();
            } catch (ChildWorkflowFailure e) {
                boolean again = e.getCause() instanceof ApplicationFailure failure
                        && !failure.getType().equals(ActivityStage.BAD_INPUT)
                        && !failure.getType().equals(ActivityStage.OVER_BUDGET);
                if (!again || attempt == ATTEMPTS) {
                    throw e;
                }
            }
        }
    }

    /** Why it failed, in the words of what failed. */
    static String why(TemporalFailure e) {
        RuntimeException told = TrainPipelineImpl.inItsOwnWords(e);
        return told instanceof ApplicationFailure failure ? failure.getOriginalMessage() : told.getMessage();
    }
}
