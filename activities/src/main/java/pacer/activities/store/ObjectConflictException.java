package pacer.activities.store;

import java.io.IOException;

/** A key that is written once holds other bytes than those to be stored. */
public final class ObjectConflictException extends IOException {
    ObjectConflictException(String message) {
        super(message);
    }
}
