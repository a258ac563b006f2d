package pacer.activities.dataset;

import java.util.Map;
import pacer.activities.run.BadInputException;

/**
 * How several hosts share the work on a dataset.
 *
 * @param partBytes about how much text a part has; a text of no more than that is not divided
 * @param parallel how many parts are worked on at once, on all hosts together
 * @param slots how many of them, and of those of other datasets, this host takes at once
 */
public record PreparationSettings(long partBytes, int parallel, int slots) {
    private static final String PARALLEL_VARIABLE = "PACER_DATASET_PARALLEL";
    private static final String SLOTS_VARIABLE = "PACER_DATASET_SLOTS";

    /** Some seconds of work for a host; few enough parts of a large text that a history bears them. */
    private static final long PART_BYTES = 128 << 20;

    private static final int PARALLEL = 16;

    /** Some wait for the line while others compute. */
    private static final int SLOTS = 4;

    private static final int MOST = 512;

    /**
     * The usual ones, with the numbers at once that {@code PACER_DATASET_PARALLEL} and {@code PACER_DATASET_SLOTS} set.
     *
     * @throws BadInputException when one is none
     */
    public static PreparationSettings of(Map<String, String> environment) {
        return new PreparationSettings(
                PART_BYTES,
                number(environment, PARALLEL_VARIABLE, PARALLEL),
                number(environment, SLOTS_VARIABLE, SLOTS));
    }

    private static int number(Map<String, String> environment, String name, int usual) {
        String text = environment.getOrDefault(name, "").strip();
        if (text.isEmpty()) {
            return usual;
        }
        int number = text.matches("[0-9]{1,4}") ? Integer.parseInt(text) : 0;
        if (number < 1 || number > MOST) {
            throw new BadInputException("%s: '%s' is no number from 1 to %d".formatted(name, text, MOST));
        }
        return number;
    }
}
