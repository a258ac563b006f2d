package pacer.activities.run;

/** Something that the user gave is wrong: trying again without a change cannot help. The message names place, value and rule. */
public final class BadInputException extends RuntimeException {
    public BadInputException(String message) {
        super(message);
    }

    public BadInputException(String message, Throwable cause) {
        super(message, cause);
    }
}
