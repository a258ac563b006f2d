package pacer.activities.dataset;

import java.util.Map;
import pacer.activities.run.BadInputException;

/**
 * How several hosts share the work on a dataset.
 *
 * @param partBytes about how much text a part has; a text of no more than that is not divided
 * @param parallel how many parts are worked on at once, on all hosts together
 */
public record PreparationSettings(long partBytes, int parallel) {
    private static final String VARIABLE = "PACER_DATASET_PARALLEL";

    /** Some seconds of work for a host; few enough parts of a large text that a history bears them. */
    private static final long PART_BYTES = 128 << 20;

    private static final int PARALLEL = 16;
    private static final int MOST_PARALLEL = 512;

    /**
     * The usual ones, with the number at once that {@code PACER_DATASET_PARALLEL} sets.
     *
     * @throws BadInputException when it is none
     */
    public static PreparationSettings of(Map<String, String> environment) {
        String text = environment.getOrDefault(VARIABLE, "").strip();
        if (text.isEmpty()) {
            return new PreparationSettings(PART_BYTES, PARALLEL);
        }
        int parallel = text.matches("[0-9]{1,4}") ? Integer.parseInt(text) : 0;
        if (parallel < 1 || parallel > MOST_PARALLEL) {
            throw new BadInputException("%s: '%s' is no number from 1 to %d".formatted(VARIABLE, text, MOST_PARALLEL));
        }
        return new PreparationSettings(PART_BYTES, parallel);
    }
}
