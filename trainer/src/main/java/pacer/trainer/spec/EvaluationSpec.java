package pacer.trainer.spec;

/** When and how validation loss is measured. */
public record EvaluationSpec(
        @Doc(
                value = "steps between measurements during training; 0 measures only at the end",
                min = 0,
                max = 1e9,
                standard = "250")
        int everySteps,

        @Doc(value = "which windows of the validation tokens", standard = "fixed")
        Windows windows,

        @Doc(value = "tokens measured, at least one sequence; 0 takes all", min = 0, max = 1e12, standard = "0")
        long tokens) {

    /** Choices of windows. */
    public enum Windows {
        /** Windows spread evenly over the validation tokens, the same each time. */
        FIXED,
        /** The first of them, one after the other. */
        FIRST,
        /** Windows drawn anew each time (nanoGPT's estimate_loss). */
        SAMPLED
    }
}
