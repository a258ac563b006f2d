package pacer.workflows;

import pacer.activities.run.RunStatus;

/**
 * How a run ended.
 *
 * @param result what it came to; null unless it is finished
 * @param reason why it is not, in one line; null when it is
 */
public record PipelineOutcome(String run, RunStatus status, PipelineResult result, String reason) {}
