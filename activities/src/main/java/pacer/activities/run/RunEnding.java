package pacer.activities.run;

/**
 * Closes the record of a run.
 *
 * @param reason why it ended before it was done; null otherwise
 */
public record RunEnding(String run, RunStatus status, String reason) {}
