package pacer.trainer.dist;

/**
 * Ranks could not come or stay together. The message names the rank that failed and how. Nothing can be done with the group after
 * it: end this process too and begin anew from the last checkpoint.
 */
public final class CollectiveException extends RuntimeException {
    CollectiveException(String message) {
        super(message);
    }

    CollectiveException(String message, Throwable cause) {
        super(message, cause);
    }
}
