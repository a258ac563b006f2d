package pacer.activities.run;

/**
 * Changes where a run's training ends.
 *
 * @param lastStep the new last step; null for the step of the newest checkpoint
 */
public record RunAmendment(String run, Integer lastStep) {}
