package pacer.activities.run;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a worker knows of the services around it.
 *
 * @param searchable whether the Temporal service knows pacer's search attributes
 * @param tracked whether its host sends runs to a tracking server
 * @param links addresses, for people, of what shows runs, by name
 */
public record Surroundings(boolean searchable, boolean tracked, Map<String, String> links) {
    public static final Surroundings NONE = new Surroundings(false, false, Map.of());

    public Surroundings {
        links = Collections.unmodifiableMap(new LinkedHashMap<>(links)); // in their order
    }
}
