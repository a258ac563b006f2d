package pacer.activities.run;

/**
 * A shard or checkpoint is not what its digest says. Doing the same again would find the same: an earlier stage has to be done again, which
 * mends it. The message names the file.
 */
public final class DamagedDataException extends RuntimeException {
    private final Stage mendedBy;

    /** @param mendedBy the stage that makes what is damaged */
    public DamagedDataException(String message, Stage mendedBy) {
        super(message);
        this.mendedBy = mendedBy;
    }

    /** The stage to go back to. */
    public Stage mendedBy() {
        return mendedBy;
    }
}
