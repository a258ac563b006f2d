package pacer.activities.store;

import java.util.Map;
import java.util.Optional;
import pacer.activities.run.BadInputException;

/**
 * Where the store is.
 *
 * @param place bucket and prefix
 * @param access how S3 is reached
 */
public record StoreSettings(S3Address place, S3Settings access) {
    private static final String VARIABLE = "PACER_STORE";

    /**
     * The store that {@code PACER_STORE} names; empty when it names none.
     *
     * @throws BadInputException when it is no address
     */
    public static Optional<StoreSettings> of(Map<String, String> environment) {
        String place = environment.getOrDefault(VARIABLE, "").strip();
        return place.isEmpty()
                ? Optional.empty()
                : Optional.of(new StoreSettings(S3Address.parse(VARIABLE, place), S3Settings.of(environment)));
    }
}
