package pacer.activities.record;

import java.util.List;

/**
 * How a record attempt ended: {@code record.json}, and the workflow's result.
 *
 * @param runs those that were finished, in the order of their seeds
 * @param significance of the last look; null where there was none
 * @param record whether the target is reached; null where that was not looked at
 * @param ending why it ended before its last look; null where it did not
 * @param text all of it in a sentence
 */
public record RecordResult(
        RecordPlan plan, List<RecordRun> runs, Significance significance, Boolean record, String ending, String text) {

    /** After a look. */
    public static RecordResult of(RecordPlan plan, List<RecordRun> runs, Significance significance) {
        return new RecordResult(plan, List.copyOf(runs), significance, significance.holds(), null, significance.text());
    }

    /**
     * Before its last look.
     *
     * @param significance of a look before; null where there was none
     */
    public static RecordResult ended(RecordPlan plan, List<RecordRun> runs, Significance significance, String why) {
        return new RecordResult(
                plan,
                List.copyOf(runs),
                significance,
                null,
                why,
                "no verdict: %s, after %d of %d runs"
                        .formatted(why, runs.size(), plan.seeds().size()));
    }
}
