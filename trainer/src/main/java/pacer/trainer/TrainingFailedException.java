package pacer.trainer;

/** Training cannot go on, and would not if it were tried again: the message says why and what to do. */
final class TrainingFailedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    TrainingFailedException(String message) {
        super(message);
    }
}
