package pacer.trainer.spec;

/** Batches, steps, precision, ranks. */
public record TrainSpec(
        @Doc(value = "optimizer steps; 0 only measures the first weights", min = 0, max = 1e9)
        int steps,

        @Doc(
                value =
                        "tokens an optimizer step, over all ranks and micro-steps; a multiple of sequenceLength × ranks",
                min = 1,
                max = 1e9)
        int batchTokens,

        @Doc(
                value =
                        "sequences a rank takes through the model at once, the rest of the batch is accumulated; divides a rank's sequences a step, and shrinks to them",
                min = 1,
                max = 1e6)
        int microBatch,

        @Doc(value = "global norm to which gradients are clipped; 0 leaves them", min = 0, max = 1e9, standard = "1.0")
        double gradientClip,

        @Doc(
                value =
                        "arithmetic of the linear layers' products; auto takes bf16 where the processor multiplies it itself, else"
                                + " fp32. Resolved before a run starts",
                standard = "fp32")
        Precision precision,

        @Doc(value = "order in which windows of the data are seen", standard = "random")
        Loader loader,

        @Doc(value = "what a non-finite loss or gradient does; no update is applied in either case", standard = "skip")
        NonFinite nonFinite,

        @Doc(
                value = "non-finite steps in a row after which skipping stops the run",
                min = 1,
                max = 1e6,
                standard = "10")
        int maxSkippedInARow,

        @Doc(value = "processes that train together, over all hosts", min = 1, max = 1024, standard = "1")
        int ranks,

        @Doc(
                value =
                        "CPU threads a rank; 0 takes the machine's cores divided by ranks. Resolved before a run starts, because"
                                + " it is part of what fixes the bits",
                min = 0,
                max = 1024,
                standard = "0")
        int threads,

        @Doc(
                value =
                        "z-score among the last 128 steps above which a step's loss keeps its update from being applied; 0: none does",
                min = 0,
                max = 100,
                standard = "0",
                later = true)
        double outlierLoss,

        @Doc(value = "the same for the norm of its gradient", min = 0, max = 100, standard = "0", later = true)
        double outlierGradient,

        @Doc(
                value =
                        "what a backward pass computes anew rather than hold: 0 nothing, 1 activations of the feed-forward layers, 2"
                                + " normalised streams of the blocks as well; the bits are the same",
                min = 0,
                max = 2,
                standard = "0",
                later = true)
        int recompute,

        @Doc(
                value = "1 divides the optimizer's state and work over ranks (ZeRO-1), 0 has all of it on each",
                min = 0,
                max = 1,
                standard = "1",
                later = true)
        int zeroStage,

        @Doc(
                value =
                        "machines that the ranks are divided over equally; more than one needs a Temporal service and a store",
                min = 1,
                max = 256,
                standard = "1",
                later = true)
        int hosts) {

    /** Ranks on each host. */
    public int ranksPerHost() {
        return ranks / hosts;
    }

    /** How much of the training is done after {@code step} steps, 0 to 1. */
    public double progress(int step) {
        return steps == 0 ? 1 : Math.min(1, (double) step / steps);
    }

    /** Arithmetic of products. */
    public enum Precision {
        FP32,
        /** bfloat16 factors, fp32 accumulation, fp32 master weights. */
        BF16,
        /** The quicker one; none that anything computes with. */
        AUTO;

        /** What stands for it on {@code processor}. */
        public Precision on(Processor processor) {
            return this != AUTO ? this : processor.bf16() ? BF16 : FP32;
        }
    }

    /** Orders of the data. */
    public enum Loader {
        /** Windows at uniformly random places, with replacement (nanoGPT). */
        RANDOM,
        /** Windows one after the other (llm.c). */
        SEQUENTIAL,
        /** Every window once an epoch, in an order drawn anew each epoch. */
        SHUFFLED
    }

    /** Policies for non-finite numbers. */
    public enum NonFinite {
        SKIP,
        STOP
    }
}
