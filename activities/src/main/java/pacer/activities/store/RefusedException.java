package pacer.activities.store;

import java.io.IOException;

/** The server refuses what it is asked, and will do so again: credentials, rights, or no such bucket. */
public final class RefusedException extends IOException {
    RefusedException(String message) {
        super(message);
    }
}
