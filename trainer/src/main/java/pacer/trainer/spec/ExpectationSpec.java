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

        @Doc(
                value = "a published share of HellaSwag's endings chosen rightly, drawn as a line in curves; 0: none",
                min = 0,
                max = 1,
                standard = "0",
                later = true)
        double referenceHellaSwag,

        @Doc(value = "where the references come from, or why nothing is expected", standard = "''")
        String source) {

    /** Nothing, for the reason {@code source}. */
    static ExpectationSpec none(String source) {
        return new ExpectationSpec(0, 0, 0, source);
    }

    /** Whether there is anything that could be wrong of another run. */
    boolean given() {
        return validationLoss > 0 || referenceLoss > 0 || referenceHellaSwag > 0;
    }

    /** Why the preset's expectation says nothing of this run; null where it was not let go. */
    public String lapse() {
        return source.startsWith(Expectations.LAPSED) ? source : null;
    }
}
