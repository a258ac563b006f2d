package pacer.trainer.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

/** The expected numbers were printed by {@code pytorch_step.py}: both languages must have the same bits. */
class FormulaTest {
    private final Arena arena = Arena.ofAuto();

    private float[] weights(String name, boolean gain, int n) {
        MemorySegment to = arena.allocate(4L * n, 64);
        Formula.weights(1337, name, gain, to);
        return to.toArray(ValueLayout.JAVA_FLOAT);
    }

    @Test
    void mixesAsPythonDoes() {
        assertThat(new int[] {Formula.mix(0), Formula.mix(1), Formula.mix(-1), Formula.mix(123456789)})
                .containsExactly(0, 0x688990c0, 0x6768824a, 0xa8f1db88);
    }

    @Test
    void weightsAreThoseOfPython() {
        assertThat(weights("transformer.wte.weight", false, 6))
                .containsExactly(
                        -0x1.e5a934p-10f,
                        -0x1.31d46cp-7f,
                        0x1.fa91cp-6f,
                        0x1.c4887cp-6f,
                        -0x1.d36582p-7f,
                        0x1.63da5ep-6f);
        assertThat(weights("transformer.ln_f.weight", true, 3))
                .containsExactly(0x1.03e01p+0f, 0x1.042a34p+0f, 0x1.016942p+0f);
        assertThat(weights("transformer.ln_f.bias", false, 3))
                .containsExactly(0x1.ddaf1ep-6f, -0x1.7fc792p-6f, -0x1.5c90e6p-6f);
    }

    @Test
    void weightsHaveGpt2sDeviation() {
        float[] weights = weights("transformer.wte.weight", false, 100_000);
        double sum = 0;
        double squares = 0;
        for (float w : weights) {
            sum += w;
            squares += (double) w * w;
        }
        assertThat(sum / weights.length).isBetween(-3e-4, 3e-4);
        assertThat(Math.sqrt(squares / weights.length)).isBetween(0.0198, 0.0202);
    }

    @Test
    void tokensAreThoseOfPython() {
        MemorySegment inputs = arena.allocate(4 * 6, 64);
        MemorySegment targets = arena.allocate(4 * 6, 64);
        Formula.tokens(1337, 7, 1, 50257, inputs, targets);
        assertThat(inputs.toArray(ValueLayout.JAVA_INT)).containsExactly(21253, 32598, 5654, 28949, 39046, 2722);
        assertThat(targets.toArray(ValueLayout.JAVA_INT)).containsExactly(18796, 22473, 25542, 42441, 35872, 14490);
    }
}
