package pacer.workflows;

import java.util.List;

/**
 * How the preparation of a dataset stands: the answer to the query {@code progress}.
 *
 * @param dataset its hash; null until it is known
 * @param steps those begun, in order
 */
public record PreparationProgress(String dataset, List<Step> steps) {

    /**
     * One step.
     *
     * @param state {@code running}, {@code done}, {@code failed} or {@code stopped}
     * @param done how many parts are done
     * @param all how many there are; 0 where it has no parts
     * @param megabytesPerSecond since the step began; null where that is not known
     * @param etaSeconds what is left of the step; null where that is not known
     * @param text for people; may be null
     */
    public record Step(
            String name,
            String state,
            int done,
            int all,
            Double megabytesPerSecond,
            Double etaSeconds,
            Double fraction,
            String text) {}
}
