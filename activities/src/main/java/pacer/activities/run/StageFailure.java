package pacer.activities.run;

/** A stage's process ended before it was done; the message gives its own reason. */
public final class StageFailure extends RuntimeException {
    private final boolean retryable;
    private final boolean refusal;

    public StageFailure(String message, boolean retryable) {
        this(message, retryable, false);
    }

    private StageFailure(String message, boolean retryable, boolean refusal) {
        super(message);
        this.retryable = retryable;
        this.refusal = refusal;
    }

    /** The process refused what it was given. */
    public static StageFailure refused(String message) {
        return new StageFailure(message, false, true);
    }

    /** Whether what was given is at fault. */
    public boolean isRefusal() {
        return refusal;
    }

    /** Whether another attempt could get further. */
    public boolean retryable() {
        return retryable;
    }
}
