package pacer.trainer.spec;

/** What the run is expected to reach; decides the verdict at its end. */
public record ExpectationSpec(
        @Doc(
                value = "validation loss at or below which the run passes; 0: no expectation",
                min = 0,
                max = 1000,
                standard = "0")
        double validationLoss,

        @Doc(
                value = "a published validation loss, drawn as a line in curves; 0: none",
                min = 0,
                max = 1000,
                standard = "0")
        double referenceLoss,

        @Doc(value = "where the reference comes from, or why nothing is expected", standard = "''")
        String source) {

    /** Why the preset's expectation says nothing of this run; null where it was not let go. */
    public String lapse() {
        return source.startsWith(Expectations.LAPSED) ? source : null;
    }
}
