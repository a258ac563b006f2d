package pacer.trainer.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import pacer.trainer.ops.Operations.Activation;

/** Every backward pass of the reference against finite differences of its forward pass. */
class GradientTest {

    @ParameterizedTest
    @CsvSource({"1,1,1,1", "2,3,5,7", "3,5,4,2"})
    void embedding(int b, int t, int c, int v) {
        try (GradientCheck check = new GradientCheck(b * 100 + t)) {
            int[] token = new Random(v).ints((long) b * t, 0, v).toArray();
            Tensor out = check.empty("out", b, t, c);
            Tensor dOut = check.random("dOut", b, t, c);
            Tensor tokens = check.integers("tokens", token, b, t);
            Tensor table = check.random("wte", v, c);
            Tensor positions = check.random("wpe", t + 1, c);
            Tensor dTable = check.random("dWte", v, c);
            Tensor dPositions = check.random("dWpe", t + 1, c);
            Operations o = check.operations();
            Runnable forward = () -> o.embeddingForward(out, tokens, table, positions, null);
            check.gradient(dTable, true, table, out, dOut, forward);
            check.gradient(dPositions, true, positions, out, dOut, forward);
            check.run(forward, () -> o.embeddingBackward(dTable, dPositions, dOut, tokens));
        }
    }

    @ParameterizedTest
    @CsvSource({"1,5,true,false", "4,7,true,true", "3,16,false,false", "2,33,false,true"})
    void layerNorm(int rows, int c, boolean withBias, boolean accumulate) {
        try (GradientCheck check = new GradientCheck(rows + c)) {
            Tensor out = check.empty("out", rows, c);
            Tensor mean = check.empty("mean", rows);
            Tensor rstd = check.empty("rstd", rows);
            Tensor dOut = check.random("dOut", rows, c);
            Tensor in = check.random("in", rows, c);
            Tensor weight = check.random("weight", c);
            Tensor bias = withBias ? check.random("bias", c) : null;
            Tensor dIn = check.random("dIn", rows, c);
            Tensor dWeight = check.random("dWeight", c);
            Tensor dBias = withBias ? check.random("dBias", c) : null;
            Operations o = check.operations();
            Runnable forward = () -> o.layerNormForward(out, mean, rstd, in, weight, bias, 1e-5f);
            check.gradient(dIn, accumulate, in, out, dOut, forward);
            check.gradient(dWeight, true, weight, out, dOut, forward);
            if (withBias) {
                check.gradient(dBias, true, bias, out, dOut, forward);
            }
            check.run(
                    forward, () -> o.layerNormBackward(dIn, dWeight, dBias, dOut, in, weight, mean, rstd, accumulate));
        }
    }

    @ParameterizedTest
    @CsvSource({"1,1,1,true,false", "3,5,7,true,true", "7,4,3,false,false", "2,9,8,false,true"})
    void linear(int rows, int k, int n, boolean withBias, boolean accumulate) {
        try (GradientCheck check = new GradientCheck(rows + k + n)) {
            Tensor out = check.empty("out", rows, n);
            Tensor dOut = check.random("dOut", rows, n);
            Tensor in = check.random("in", rows, k);
            Tensor weight = check.random("weight", n, k);
            Tensor bias = withBias ? check.random("bias", n) : null;
            Tensor dIn = check.random("dIn", rows, k);
            Tensor dWeight = check.random("dWeight", n, k);
            Tensor dBias = withBias ? check.random("dBias", n) : null;
            Operations o = check.operations();
            Runnable forward = () -> o.linearForward(out, in, weight, bias, false);
            check.gradient(dIn, accumulate, in, out, dOut, forward);
            check.gradient(dWeight, accumulate, weight, out, dOut, forward);
            if (withBias) {
                check.gradient(dBias, accumulate, bias, out, dOut, forward);
            }
            check.run(forward, () -> {
                o.linearBackwardInput(dIn, dOut, weight, accumulate);
                o.linearBackwardWeight(dWeight, dBias, dOut, in, accumulate);
            });
        }
    }

    /** q, k and v are columns of one tensor, as models have them. */
    @ParameterizedTest
    @CsvSource({
        "1,1,1,1, causal, 0",
        "2,5,2,3, causal, 0",
        "1,7,3,1, causal, 0.3",
        "1,6,2,4, 0 0 0 1 2 3, 0", // sliding window
        "2,5,1,5, 0 0 2 2 2 0 1 1 1 4, 0", // documents
        "1,6,2,3, 0 0 0 3 3 4, 0.5"
    })
    void attention(int b, int t, int heads, int d, String mask, float probability) {
        try (GradientCheck check = new GradientCheck(t)) {
            int c = heads * d;
            Tensor qkv = check.random("qkv", b, t, 3 * c);
            Tensor dQkv = check.random("dQkv", b, t, 3 * c);
            Tensor out = check.empty("out", b, t, c);
            Tensor dOut = check.random("dOut", b, t, c);
            Tensor lse = check.empty("logSumExp", b, heads, t);
            Tensor first = mask.equals("causal")
                    ? null
                    : check.integers(
                            "firstKey",
                            Arrays.stream(mask.split(" "))
                                    .mapToInt(Integer::parseInt)
                                    .toArray(),
                            b,
                            t);
            Dropout dropout = new Dropout(probability, 99, 1000);
            Tensor q = qkv.columns("q", 0, c);
            Tensor k = qkv.columns("k", c, c);
            Tensor v = qkv.columns("v", 2 * c, c);
            Tensor dQ = dQkv.columns("dQ", 0, c);
            Tensor dK = dQkv.columns("dK", c, c);
            Tensor dV = dQkv.columns("dV", 2 * c, c);
            Operations o = check.operations();
            Runnable forward = () -> o.attentionForward(out, lse, q, k, v, first, heads, dropout);
            check.gradient(dQkv, false, qkv, out, dOut, forward);
            check.run(forward, () -> o.attentionBackward(dQ, dK, dV, dOut, out, lse, q, k, v, first, heads, dropout));
        }
    }

    @ParameterizedTest
    @EnumSource
    void activation(Activation activation) {
        try (GradientCheck check = new GradientCheck(5)) {
            Tensor out = check.empty("out", 9, 7);
            Tensor dOut = check.random("dOut", 9, 7);
            Tensor dIn = check.random("dIn", 9, 7);
            // relu² has a kink in its slope at 0, where differences say nothing: stay two steps away
            Tensor in =
                    activation == Activation.RELU_SQUARED ? check.awayFromZero("in", 9, 7) : check.random("in", 9, 7);
            Operations o = check.operations();
            Runnable forward = () -> o.activationForward(out, in, activation);
            check.gradient(dIn, false, in, out, dOut, forward);
            check.run(forward, () -> o.activationBackward(dIn, dOut, in, activation));
        }
    }

    @Test
    void dropout() {
        try (GradientCheck check = new GradientCheck(6)) {
            Tensor out = check.empty("out", 9, 7);
            Tensor dOut = check.random("dOut", 9, 7);
            Tensor dIn = check.random("dIn", 9, 7);
            Tensor in = check.random("in", 9, 7);
            Dropout dropout = new Dropout(0.4f, 12, 77);
            Operations o = check.operations();
            Runnable forward = () -> o.dropout(out, in, dropout);
            check.gradient(dIn, false, in, out, dOut, forward);
            check.run(forward, () -> o.dropout(dIn, dOut, dropout));
            assertThat(check.read(dIn)).contains(0f).isNotEqualTo(new float[9 * 7]);
        }
    }

    @ParameterizedTest
    @CsvSource({"1,5,1,false", "4,7,1,true", "3,8,4,false", "2,33,3,true"})
    void rmsNorm(int rows, int width, int heads, boolean accumulate) {
        try (GradientCheck check = new GradientCheck(rows + width)) {
            Tensor out = check.empty("out", rows, heads * width);
            Tensor rstd = check.empty("rstd", rows, heads);
            Tensor dOut = check.random("dOut", rows, heads * width);
            Tensor in = check.random("in", rows, heads * width);
            Tensor dIn = check.random("dIn", rows, heads * width);
            Operations o = check.operations();
            Runnable forward = () -> o.rmsNormForward(out, rstd, in, heads, 0x1p-23f);
            check.gradient(dIn, accumulate, in, out, dOut, forward);
            check.run(forward, () -> o.rmsNormBackward(dIn, dOut, in, rstd, heads, accumulate));
        }
    }

    @ParameterizedTest
    @CsvSource({"1,1,true,false,2", "4,7,true,true,2", "3,8,false,false,2", "2,33,true,false,1", "3,5,false,false,1"})
    void mix(int rows, int width, boolean both, boolean accumulate, int numbers) {
        try (GradientCheck check = new GradientCheck(rows + width)) {
            Tensor out = check.empty("out", rows, width);
            Tensor dOut = check.random("dOut", rows, width);
            Tensor a = check.random("a", rows, width);
            Tensor b = both ? check.random("b", rows, width) : null;
            Tensor weights = check.random("weights", numbers);
            Tensor dA = check.random("dA", rows, width);
            Tensor dB = both ? check.random("dB", rows, width) : null;
            Tensor dWeights = check.random("dWeights", numbers);
            Operations o = check.operations();
            Runnable forward = () -> o.mixForward(out, a, b, weights);
            check.gradient(dA, false, a, out, dOut, forward);
            check.gradient(dWeights, true, weights, out, dOut, forward);
            if (both) {
                check.gradient(dB, accumulate, b, out, dOut, forward);
            }
            check.run(forward, () -> o.mixBackward(dA, dB, dWeights, dOut, a, b, weights, accumulate));
        }
    }

    @ParameterizedTest
    @CsvSource({"1,1,false", "4,7,true", "2,33,false"})
    void skip(int rows, int width, boolean accumulate) {
        try (GradientCheck check = new GradientCheck(rows + width)) {
            Tensor out = check.empty("out", rows, width);
            Tensor dOut = check.random("dOut", rows, width);
            Tensor in = check.random("in", rows, width);
            Tensor skip = check.random("skip", rows, width);
            Tensor weight = check.random("weight", 1);
            Tensor dSkip = check.random("dSkip", rows, width);
            Tensor dWeight = check.random("dWeight", 1);
            Operations o = check.operations();
            Runnable forward = () -> o.skipForward(out, in, skip, weight);
            check.gradient(dSkip, accumulate, skip, out, dOut, forward);
            check.gradient(dWeight, true, weight, out, dOut, forward);
            check.run(forward, () -> o.skipBackward(dSkip, dWeight, dOut, skip, weight, accumulate));
        }
    }

    @ParameterizedTest
    @CsvSource({"1,1,1,2", "2,3,2,4", "1,7,1,10", "2,5,3,8"})
    void rotary(int b, int t, int heads, int width) {
        try (GradientCheck check = new GradientCheck(b + t)) {
            Tensor out = check.empty("out", b, t, heads * width);
            Tensor dOut = check.random("dOut", b, t, heads * width);
            Tensor in = check.random("in", b, t, heads * width);
            Tensor dIn = check.random("dIn", b, t, heads * width);
            Tensor cos = check.random("cosines", t + 1, width / 2); // linear in any tables, not those of angles alone
            Tensor sin = check.random("sines", t + 1, width / 2);
            Operations o = check.operations();
            Runnable forward = () -> o.rotaryForward(out, in, cos, sin, null, heads);
            check.gradient(dIn, false, in, out, dOut, forward);
            check.run(forward, () -> o.rotaryBackward(dIn, dOut, cos, sin, heads));
        }
    }

    @ParameterizedTest
    @CsvSource({"1,1,1,0", "5,7,0.2,0", "8,3,1,0", "5,7,0.2,2", "8,3,1,15"})
    void crossEntropy(int rows, int v, float scale, float softcap) {
        try (GradientCheck check = new GradientCheck(rows)) {
            int[] target = new Random(rows).ints(rows, 0, v).toArray();
            if (rows > 3) {
                target[2] = -1;
            }
            Tensor losses = check.empty("losses", rows);
            Tensor dLosses = check.constant("dLosses", scale, rows);
            Tensor logits = check.random("logits", rows, v);
            Tensor gradient = check.empty("gradient", rows, v);
            Tensor targets = check.integers("targets", target, rows);
            Operations o = check.operations();
            Runnable forward = () -> o.crossEntropyForward(losses, logits, targets, softcap);
            check.gradient(gradient, false, logits, losses, dLosses, forward);
            check.run(forward, () -> {
                float[] alone = check.read(losses);
                o.convert(gradient, logits);
                o.crossEntropy(losses, gradient, targets, scale, softcap);
                assertThat(check.read(losses)).containsExactly(alone);
            });
        }
    }
}
