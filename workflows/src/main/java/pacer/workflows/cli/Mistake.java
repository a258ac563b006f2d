package pacer.workflows.cli;

/** Something the user gave is wrong; the message is one line that says what, and what to do. */
final class Mistake extends RuntimeException {
    private static final long serialVersionUID = 1;

    Mistake(String message) {
        super(message);
    }

    Mistake(String message, Throwable cause) {
        super(message, cause);
    }
}
