package pacer.activities.store;

import java.io.IOException;

/** What the server gives for a key is not what its digest says, also when it is asked again. */
public final class DamagedObjectException extends IOException {
    DamagedObjectException(String message) {
        super(message);
    }
}
