package pacer.activities.training;

/** Training ended before it was done; the message gives the trainer's own reason. */
public final class TrainingFailure extends RuntimeException {
    private final boolean retryable;

    TrainingFailure(String message, boolean retryable) {
        super(message);
        this.retryable = retryable;
    }

    /** Whether another attempt could get further. */
    public boolean retryable() {
        return retryable;
    }
}
