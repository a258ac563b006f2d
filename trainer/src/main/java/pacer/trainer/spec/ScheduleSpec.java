package pacer.trainer.spec;

/** The learning rate over time. */
public record ScheduleSpec(
        @Doc(value = "shape after warmup", standard = "cosine")
        Type type,

        @Doc(value = "steps of linear warmup", min = 0, max = 1e9, standard = "0")
        int warmupSteps,

        @Doc(
                value =
                        "step at which the floor is reached; 0 takes train.steps, or the end of warmup if that is later",
                min = 0,
                max = 1e9,
                standard = "0")
        int decaySteps,

        @Doc(value = "lowest rate as a fraction of the peak", min = 0, max = 1, standard = "0.1")
        double floor,

        @Doc(
                value = "of the steps up to decaySteps the last part, in which a linear schedule goes down",
                min = 0,
                max = 1,
                standard = "0.4",
                later = true)
        double cooldown,

        @Doc(value = "the same in steps; 0 takes cooldown", min = 0, max = 1e9, standard = "0", later = true)
        int cooldownSteps) {

    /** Shapes. */
    public enum Type {
        CONSTANT,
        COSINE,
        /** Constant, then a straight line down to the floor in the last part: a trapezoid with warmup. */
        LINEAR
    }
}
