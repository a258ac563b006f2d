package pacer.activities.run;

/** A stage's process ended before it was done; the message gives its own reason. */
public final class StageFailure extends RuntimeException {
    private final boolean retryable;

    public StageFailure(String message, boolean retryable) {
        super(message);
        this.retryable = retryable;
    }

    /** Whether another attempt could get further. */
    public boolean retryable() {
        return retryable;
    }
}
