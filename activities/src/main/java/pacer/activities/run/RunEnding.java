package pacer.activities.run;

/**
 * Closes the record of a run.
 *
 * @param reason why it ended before it was done; null otherwise
 * @param refused whether what was given is at fault, so that it would fail again; null, as in endings of old, where it is not
 */
public record RunEnding(String run, RunStatus status, String reason, Boolean refused) {

    /** One of a run that was not refused. */
    public RunEnding(String run, RunStatus status, String reason) {
        this(run, status, reason, null);
    }
}
