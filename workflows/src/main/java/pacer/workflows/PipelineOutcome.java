package pacer.workflows;

import pacer.activities.run.RunStatus;

/**
 * How a run ended.
 *
 * @param result what it came to; null unless it is finished
 * @param reason why it is not, in one line; null when it is
 * @param refused whether what was given is at fault, so that going on without a change comes to the same
 */
public record PipelineOutcome(String run, RunStatus status, PipelineResult result, String reason, boolean refused) {

    static PipelineOutcome finished(PipelineResult result, String run) {
        return new PipelineOutcome(run, RunStatus.FINISHED, result, null, false);
    }
}
