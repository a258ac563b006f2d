package pacer.trainer.parity;

import pacer.trainer.spec.TrainSpec.Precision;

/**
 * How far a replay may lie from its trace. In fp32 the first loss differs by the order of sums alone; later losses, and weights
 * after several steps, carry what training makes of that. bf16 factors have 8 bits of mantissa, which a trace in fp32 does not.
 */
record Tolerances(
        double firstLoss,
        double laterLosses,
        double logits,
        double gradients,
        double finalWeights,
        double updates,
        double orthogonal) {
    private static final Tolerances FP32 = new Tolerances(1e-5, 1e-4, 1e-4, 1e-4, 1e-3, 1e-5, 1e-4);

    /** The same where rates are as large as the speedrun's. */
    private static final Tolerances FP32_LARGE_RATES = new Tolerances(1e-5, 1e-3, 1e-3, 1e-3, 1e-2, 1e-5, 1e-4);

    private static final Tolerances BF16 = new Tolerances(2e-3, 1e-2, 2e-2, 5e-2, 5e-2, 1e-5, 5e-2);

    /** At such rates Adam takes a whole step by a gradient's sign, and that of the smallest hangs on rounding. */
    private static final Tolerances BF16_LARGE_RATES = new Tolerances(2e-3, 1e-2, 2e-2, 1e-1, 2.5e-1, 1e-5, 5e-2);

    static Tolerances of(Precision precision) {
        return precision == Precision.BF16 ? BF16 : FP32;
    }

    static Tolerances ofLargeRates(Precision precision) {
        return precision == Precision.BF16 ? BF16_LARGE_RATES : FP32_LARGE_RATES;
    }
}
