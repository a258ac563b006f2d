package pacer.trainer.data;

/**
 * The data at hand cannot be used, and trying again will not help. The message is one line for the person who brought
 * the data: file, place, value, rule, and what to do next.
 */
public final class BadDataException extends RuntimeException {

    public BadDataException(String message) {
        super(message);
    }

    public BadDataException(String message, Throwable cause) {
        super(message, cause);
    }
}
