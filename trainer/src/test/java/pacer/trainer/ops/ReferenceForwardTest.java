package pacer.trainer.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import pacer.trainer.ops.Operations.Activation;
import pacer.trainer.ops.reference.ReferenceDevice;

/** The reference's forward passes on cases small enough to work out by hand; the backward passes are {@link GradientTest}'s. */
class ReferenceForwardTest {
    private final Device device = new ReferenceDevice();
    private final Operations ops = device.operations();

    @AfterEach
    void close() {
        device.close();
    }

    @Test
    void embeddingAddsPositionsWithinEachSequence() {
        Tensor out = floats(new float[6], 2, 3, 1);
        Tensor tokens = integers(new int[] {1, 0, 1, 0, 0, 1}, 2, 3);
        ops.embeddingForward(
                out, tokens, floats(new float[] {10, 20}, 2, 1), floats(new float[] {1, 2, 3, 4}, 4, 1), null);
        assertThat(read(out)).containsExactly(21, 12, 23, 11, 12, 23);
    }

    @Test
    void embeddingCountsPositionsFromThoseBefore() {
        Tensor out = floats(new float[4], 2, 2, 1);
        Tensor positions = floats(new float[] {1, 2, 3, 4}, 4, 1);
        ops.embeddingForward(
                out,
                integers(new int[4], 2, 2),
                floats(new float[] {10}, 1, 1),
                positions,
                integers(new int[] {2, 0}, 2));
        assertThat(read(out)).containsExactly(13, 14, 11, 12);
    }

    /** Mean 3, variance 4 (over all four, not three), epsilon 5: rstd 1/3. */
    @Test
    void layerNormDividesByTheBiasedDeviation() {
        Tensor out = floats(new float[4], 1, 4);
        Tensor mean = floats(new float[1], 1);
        Tensor rstd = floats(new float[1], 1);
        Tensor in = floats(new float[] {1, 1, 5, 5}, 1, 4);
        ops.layerNormForward(
                out, mean, rstd, in, floats(new float[] {3, 6, 3, 6}, 4), floats(new float[] {0, 1, 2, 3}, 4), 5);
        assertThat(read(mean)).containsExactly(3);
        assertThat(read(rstd)).containsExactly(1 / 3f);
        assertThat(read(out)).containsExactly(new float[] {-2, -3, 4, 7}, within(1e-6f));
    }

    @Test
    void linearHasWeightsOutputByInput() {
        Tensor out = floats(new float[] {100, 200}, 1, 2);
        Tensor in = floats(new float[] {1, 2, 3}, 1, 3);
        Tensor weight = floats(new float[] {1, 0, 0, 1, 1, 1}, 2, 3);
        Tensor bias = floats(new float[] {10, 20}, 2);
        ops.linearForward(out, in, weight, bias, true);
        assertThat(read(out)).containsExactly(111, 226);
        ops.linearForward(out, in, weight, null, false);
        assertThat(read(out)).containsExactly(1, 6);
    }

    /** One head of width 4, so scores are halved: those of position 1 are 0 and ln 3, its weights 1/4 and 3/4. */
    @Test
    void attentionWeighsEarlierPositionsByScaledScores() {
        float ln3 = (float) Math.log(3);
        Tensor q = floats(new float[] {9, 9, 9, 9, 1, 0, 0, 0}, 1, 2, 4);
        Tensor k = floats(new float[] {0, 5, 5, 5, 2 * ln3, 7, 7, 7}, 1, 2, 4);
        Tensor v = floats(new float[] {4, 0, 8, 0, 0, 4, 0, 8}, 1, 2, 4);
        Tensor out = floats(new float[8], 1, 2, 4);
        Tensor lse = floats(new float[2], 1, 1, 2);
        ops.attentionForward(out, lse, q, k, v, null, 1, Dropout.NONE);
        assertThat(read(out)).containsExactly(new float[] {4, 0, 8, 0, 1, 3, 2, 6}, within(1e-5f));
        assertThat(read(lse)).containsExactly(new float[] {67.5f, (float) Math.log(4)}, within(1e-5f));
    }

    /** Equal scores everywhere: each output is the mean of the values that its position may see. */
    @Test
    void attentionSeesFromTheFirstKeyToItself() {
        Tensor zeros = floats(new float[8], 2, 4, 1);
        Tensor v = floats(new float[] {1, 2, 4, 8, 16, 32, 64, 128}, 2, 4, 1);
        Tensor out = floats(new float[8], 2, 4, 1);
        Tensor lse = floats(new float[8], 2, 1, 4);
        Tensor first = integers(new int[] {0, 0, 1, 3, 0, 1, 1, 1}, 2, 4);
        ops.attentionForward(out, lse, zeros, zeros, v, first, 1, Dropout.NONE);
        float[] means = {1, 1.5f, 3, 8, 16, 32, 48, 224 / 3f};
        assertThat(read(out)).containsExactly(means, within(1e-5f));
    }

    /** Of two heads at two positions, the elements of the dropout stream are (h·T + t)·T + s. */
    @Test
    void attentionDropsProbabilitiesByTheirPlaceInTheStream() {
        Dropout dropout = new Dropout(0.5f, 4, 1000);
        Tensor zeros = floats(new float[4], 1, 2, 2);
        Tensor v = floats(new float[] {1, 1, 16, 16}, 1, 2, 2);
        Tensor out = floats(new float[4], 1, 2, 2);
        Tensor lse = floats(new float[4], 1, 2, 2);
        ops.attentionForward(out, lse, zeros, zeros, v, null, 2, dropout);
        float[] keep = new float[8];
        for (int i = 0; i < 8; i++) {
            keep[i] = dropout.keeps(i) ? 2 : 0;
        }
        float[] expected = {
            keep[0], keep[4], (keep[2] * 1 + keep[3] * 16) / 2, (keep[6] * 1 + keep[7] * 16) / 2,
        };
        assertThat(read(out)).containsExactly(expected, within(1e-5f));
    }

    /** Of x·Φ(x) at 1: Φ(1) = 0.841344746; of the tanh form: 0.841191991 (as PyTorch has it). */
    @Test
    void activationsHaveTheirKnownValues() {
        assertThat(activation(Activation.GELU_ERF))
                .containsExactly(new float[] {-0.158655f, 0, 0.841345f, 1.9545f}, within(1e-6f));
        assertThat(activation(Activation.GELU_TANH))
                .containsExactly(new float[] {-0.158808f, 0, 0.841192f, 1.954598f}, within(1e-6f));
        assertThat(activation(Activation.RELU_SQUARED)).containsExactly(0, 0, 1, 4);
    }

    private float[] activation(Activation activation) {
        Tensor out = floats(new float[4], 4);
        ops.activationForward(out, floats(new float[] {-1, 0, 1, 2}, 4), activation);
        return read(out);
    }

    @Test
    void dropoutKeepsItsShareAndItsMean() {
        int n = 100_000;
        float[] ones = new float[n];
        Arrays.fill(ones, 1);
        Tensor tensor = floats(ones, n);
        ops.dropout(tensor, tensor, new Dropout(0.2f, 9, 0));
        int dropped = 0;
        for (float value : read(tensor)) {
            assertThat(value).isIn(0f, 1.25f);
            dropped += value == 0 ? 1 : 0;
        }
        assertThat(dropped).isBetween(19_500, 20_500); // four standard deviations
    }

    @Test
    void dropoutOfAPartIsAPartOfTheWhole() {
        float[] values = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
        Tensor whole = floats(values, 12);
        ops.dropout(whole, whole, new Dropout(0.5f, 3, 100));
        Tensor part = floats(Arrays.copyOfRange(values, 4, 12), 2, 4);
        ops.dropout(part, part, new Dropout(0.5f, 3, 104));
        assertThat(read(part)).containsExactly(Arrays.copyOfRange(read(whole), 4, 12));
    }

    /** Logits ln 1, ln 2, ln 5: probabilities 1/8, 2/8, 5/8. */
    @Test
    void crossEntropyIsTheTargetsSurprise() {
        float ln2 = (float) Math.log(2);
        float ln5 = (float) Math.log(5);
        Tensor losses = floats(new float[2], 2);
        Tensor logits = floats(new float[] {0, ln2, ln5, 0, ln2, ln5}, 2, 3);
        Tensor targets = integers(new int[] {1, -1}, 2);
        ops.crossEntropyForward(losses, logits, targets, 0);
        assertThat(read(losses)).containsExactly(new float[] {2 * ln2, 0}, within(1e-6f));
        ops.crossEntropy(losses, logits, targets, 8, 0);
        assertThat(read(losses)).containsExactly(new float[] {2 * ln2, 0}, within(1e-6f));
        assertThat(read(logits)).containsExactly(new float[] {1, -6, 5, 0, 0, 0}, within(1e-5f));
    }

    /** tanh(atanh(1/2)) = 1/2: capped at 2, logits 2·atanh(1/2) and its negative become 1 and -1, with slope 3/4. */
    @Test
    void softcapBendsLogitsBeforeTheSoftmax() {
        float z = (float) Math.log(3); // 2·atanh(1/2)
        Tensor losses = floats(new float[1], 1);
        Tensor logits = floats(new float[] {z, -z}, 1, 2);
        Tensor targets = integers(new int[1], 1);
        double p = 1 / (1 + Math.exp(-2));
        ops.crossEntropyForward(losses, logits, targets, 2);
        assertThat(read(losses)).containsExactly(new float[] {(float) -Math.log(p)}, within(1e-6f));
        ops.crossEntropy(losses, logits, targets, 1, 2);
        float gradient = (float) ((p - 1) * 0.75);
        assertThat(read(logits)).containsExactly(new float[] {gradient, -gradient}, within(1e-6f));
    }

    /** Mean squares of the two heads 12.5 and 0, epsilon 3.5: rstd 1/4 and 1/√3.5. */
    @Test
    void rmsNormTreatsEachHeadAlone() {
        Tensor out = floats(new float[4], 1, 4);
        Tensor rstd = floats(new float[2], 1, 2);
        ops.rmsNormForward(out, rstd, floats(new float[] {3, 4, 0, 0}, 1, 4), 2, 3.5f);
        assertThat(read(out)).containsExactly(0.75f, 1, 0, 0);
        assertThat(read(rstd)).containsExactly(new float[] {0.25f, (float) (1 / Math.sqrt(3.5))}, within(1e-7f));
    }

    /** Elements 0 and 2 of a head of width 4 are a pair, and so are 1 and 3; position 1 is the table's second row. */
    @Test
    void rotaryTurnsPairsOfHalvesByTheirPosition() {
        Tensor in = floats(new float[] {1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4}, 2, 2, 4);
        Tensor out = floats(new float[16], 2, 2, 4);
        Tensor cosines = floats(new float[] {1, 1, 0, 0.6f}, 2, 2);
        Tensor sines = floats(new float[] {0, 0, 1, 0.8f}, 2, 2);
        ops.rotaryForward(out, in, cosines, sines, null, 1);
        float[] expected = {1, 2, 3, 4, 3, 4.4f, -1, 0.8f, 1, 2, 3, 4, 3, 4.4f, -1, 0.8f};
        assertThat(read(out)).containsExactly(expected, within(1e-6f));
        ops.rotaryBackward(out, out, cosines, sines, 1);
        assertThat(read(out)).containsExactly(read(in), within(1e-6f));
    }

    /** Two heads of width 1 with one position cached: scores 0 and ln 3, weights 1/4 and 3/4; the row behind them stays. */
    @Test
    void attentionCachedAppendsAndLooksBack() {
        float ln3 = (float) Math.log(3);
        Tensor keys = floats(new float[] {0, 7, 7, 0, 7, 7}, 1, 2, 3, 1);
        Tensor values = floats(new float[] {4, 7, 7, 40, 7, 7}, 1, 2, 3, 1);
        Tensor out = floats(new float[2], 1, 1, 2);
        Tensor q = floats(new float[] {1, 2}, 1, 1, 2);
        Tensor k = floats(new float[] {ln3, ln3 / 2}, 1, 1, 2);
        Tensor v = floats(new float[] {8, 80}, 1, 1, 2);
        ops.attentionCached(out, keys, values, q, k, v, integers(new int[] {1}, 1), null, 2);
        assertThat(read(out)).containsExactly(new float[] {7, 70}, within(1e-5f));
        assertThat(read(keys)).containsExactly(0, ln3, 7, 0, ln3 / 2, 7);
        assertThat(read(values)).containsExactly(4, 8, 7, 40, 80, 7);
    }

    private Tensor floats(float[] values, int... shape) {
        Tensor t = device.allocate("floats", DType.F32, shape);
        try (Arena arena = Arena.ofConfined()) {
            device.write(t, arena.allocateFrom(ValueLayout.JAVA_FLOAT, values));
        }
        return t;
    }

    private Tensor integers(int[] values, int... shape) {
        Tensor t = device.allocate("integers", DType.I32, shape);
        try (Arena arena = Arena.ofConfined()) {
            device.write(t, arena.allocateFrom(ValueLayout.JAVA_INT, values));
        }
        return t;
    }

    private float[] read(Tensor tensor) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment host = arena.allocate(tensor.size() * 4);
            device.read(tensor, host);
            return host.toArray(ValueLayout.JAVA_FLOAT);
        }
    }
}
