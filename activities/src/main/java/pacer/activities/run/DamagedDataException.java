package pacer.activities.run;

/**
 * A shard or checkpoint is not what its digest says, or is not there any more. Doing the same again would find the same: an earlier stage has to be done again, which
 * mends it. The message names the file.
 */
public final class DamagedDataException extends RuntimeException {
    private final Stage mendedBy;
    private final boolean evicted;

    /** @param mendedBy the stage that makes what is damaged */
    public DamagedDataException(String message, Stage mendedBy) {
        this(message, mendedBy, false);
    }

    private DamagedDataException(String message, Stage mendedBy, boolean evicted) {
        super(message);
        this.mendedBy = mendedBy;
        this.evicted = evicted;
    }

    /** What is not there any more, as where the cache's limit took it: nothing is wrong with any disk. */
    public static DamagedDataException evicted(String message, Stage mendedBy) {
        return new DamagedDataException(message, mendedBy, true);
    }

    public boolean isEvicted() {
        return evicted;
    }

    /** The stage to go back to. */
    public Stage mendedBy() {
        return mendedBy;
    }
}
