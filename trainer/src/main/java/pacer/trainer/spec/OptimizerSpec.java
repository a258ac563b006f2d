package pacer.trainer.spec;

/** The update rule. */
public record OptimizerSpec(
        @Doc(value = "rule", standard = "adamw") Type type,

        @Doc(value = "peak learning rate", min = 0, max = 100)
        double learningRate,

        @Doc(value = "decay of the first moment; below 1", min = 0, max = 1, standard = "0.9")
        double beta1,

        @Doc(value = "decay of the second moment; below 1", min = 0, max = 1, standard = "0.95")
        double beta2,

        @Doc(value = "added to the denominator", min = 1e-30, max = 1, standard = "1e-8")
        double epsilon,

        @Doc(value = "decoupled decay of tensors of two and more dimensions", min = 0, max = 10, standard = "0.1")
        double weightDecay) {

    /** Update rules. */
    public enum Type {
        ADAMW
    }
}
