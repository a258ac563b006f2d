package pacer.activities.store;

import java.util.Optional;

/**
 * What the server says of an object.
 *
 * @param sha256 of its bytes, as it was told or has found; empty when it knows none
 * @param version tells it from what has the key before or after it
 */
public record StoredObject(long bytes, Optional<String> sha256, String version) {

    boolean is(Content content) {
        return bytes == content.bytes()
                && sha256.filter(content.sha256()::equals).isPresent();
    }
}
