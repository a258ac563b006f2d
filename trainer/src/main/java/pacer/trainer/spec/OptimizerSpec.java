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
        double weightDecay,

        @Doc(
                value = "peak learning rate of embeddings; 0 takes learningRate",
                min = 0,
                max = 100,
                standard = "0",
                later = true)
        double embeddingRate,

        @Doc(
                value = "peak learning rate of a head that is not tied; 0 takes learningRate",
                min = 0,
                max = 100,
                standard = "0",
                later = true)
        double headRate,

        @Doc(
                value = "peak learning rate of gains, biases and other vectors; 0 takes learningRate",
                min = 0,
                max = 100,
                standard = "0",
                later = true)
        double scalarRate,

        @Doc(value = "Muon's momentum; below 1", min = 0, max = 1, standard = "0.95", later = true)
        double momentum,

        @Doc(value = "Muon's momentum at the first step", min = 0, max = 1, standard = "0.85", later = true)
        double momentumStart,

        @Doc(value = "steps from momentumStart to momentum", min = 0, max = 1e9, standard = "300", later = true)
        int momentumWarmupSteps,

        @Doc(value = "how Muon's momentum takes up gradients", standard = "mean", later = true)
        Momentum momentumForm,

        @Doc(value = "how much longer Muon's updates are than orthogonal ones", standard = "taller", later = true)
        UpdateScale updateScale,

        @Doc(
                value = "Muon takes a block's queries, keys and values for one matrix, not three",
                standard = "false",
                later = true)
        boolean jointQkv) {

    /** How Muon's momentum takes up gradients: of a constant momentum the direction of updates is the same. */
    public enum Momentum {
        /** m = μ·m + (1 - μ)·g. */
        MEAN,
        /** m = μ·m + g. */
        SUM
    }

    /** Factors of orthogonal updates. */
    public enum UpdateScale {
        /** √max(1, rows / columns). */
        TALLER,
        /** √max(rows, columns). */
        LONGEST,
        ONE
    }

    /** AdamW with one rate for all. */
    public static OptimizerSpec adamW(
            double learningRate, double beta1, double beta2, double epsilon, double weightDecay) {
        return new OptimizerSpec(
                Type.ADAMW,
                learningRate,
                beta1,
                beta2,
                epsilon,
                weightDecay,
                0,
                0,
                0,
                0.95,
                0.85,
                300,
                Momentum.MEAN,
                UpdateScale.TALLER,
                false);
    }

    /** The same settings for another rule. */
    public OptimizerSpec withType(Type other) {
        return new OptimizerSpec(
                other,
                learningRate,
                beta1,
                beta2,
                epsilon,
                weightDecay,
                embeddingRate,
                headRate,
                scalarRate,
                momentum,
                momentumStart,
                momentumWarmupSteps,
                momentumForm,
                updateScale,
                jointQkv);
    }

    /** Update rules. */
    public enum Type {
        /** Loshchilov, Hutter 2019. */
        ADAMW,
        /** AdamW that keeps squared gradients of matrices by rows and columns; other tensors take AdamW. */
        STRIPED_ADAMW,
        /** Without first moment, squares by rows and columns; Shazeer, Stern 2018. */
        ADAFACTOR,
        /** Orthogonalized momentum for the blocks' matrices, Jordan 2024; other tensors take AdamW. */
        MUON
    }
}
