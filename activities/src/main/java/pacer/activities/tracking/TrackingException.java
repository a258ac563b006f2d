package pacer.activities.tracking;

import java.io.IOException;

/** The tracking server did not do what it was asked for. The message names its address, what it said and what to do. */
public final class TrackingException extends IOException {
    private final int status;
    private final String code;

    /**
     * @param status HTTP's; 0 where there was no answer
     * @param code MLflow's name of the fault; empty where it told none
     */
    TrackingException(String message, int status, String code, Throwable cause) {
        super(message, cause);
        this.status = status;
        this.code = code;
    }

    /** Whether it may well pass by itself: no answer, or one of a server in trouble. */
    public boolean isOutage() {
        return status == 0 || status == 429 || status >= 500;
    }

    boolean is(String mlflowCode) {
        return code.equals(mlflowCode);
    }
}
