package pacer.trainer.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import pacer.trainer.ops.reference.ReferenceDevice;

/** What the reference refuses, and its ground: the normal distribution and bfloat16. */
class ReferenceDeviceTest {
    private final ReferenceDevice device = new ReferenceDevice();

    @AfterEach
    void close() {
        device.close();
    }

    private Tensor integers(String name, int[] values, int... shape) {
        Tensor t = device.allocate(name, DType.I32, shape);
        try (Arena arena = Arena.ofConfined()) {
            device.write(t, arena.allocateFrom(ValueLayout.JAVA_INT, values));
        }
        return t;
    }

    @Test
    void refusesTensorsOfAnotherDevice() {
        try (ReferenceDevice other = new ReferenceDevice()) {
            Tensor foreign = other.allocate("foreign", DType.F32, 3);
            assertThatThrownBy(() -> device.operations().zero(foreign))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("foreign (3) F32 is not memory of the reference device");
        }
    }

    @Test
    void refusesTensorsThatReachBeyondTheirMemory() {
        Tensor t = device.allocate("t", DType.F32, 4, 4);
        Tensor beyond = new Tensor("beyond", DType.F32, t.address(), 5, 4, 4);
        assertThatThrownBy(() -> device.operations().zero(beyond)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void refusesTokensOutsideTheVocabulary() {
        Tensor out = device.allocate("out", DType.F32, 1, 3, 2);
        Tensor table = device.allocate("wte", DType.F32, 5, 2);
        Tensor tokens = integers("tokens", new int[] {0, 5, 1}, 1, 3);
        assertThatThrownBy(() -> device.operations().embeddingForward(out, tokens, table, null, null))
                .hasMessage("embeddingForward: token 1 of tokens (1, 3) I32 is 5; it must be 0 to 4");
    }

    @Test
    void refusesTargetsOutsideTheVocabulary() {
        Tensor losses = device.allocate("losses", DType.F32, 2);
        Tensor logits = device.allocate("logits", DType.F32, 2, 7);
        Tensor targets = integers("targets", new int[] {-1, -2}, 2);
        assertThatThrownBy(() -> device.operations().crossEntropy(losses, logits, targets, 1, 0))
                .hasMessage("crossEntropy: target 1 of targets (2) I32 is -2; it must be -1 to 6");
    }

    @Test
    void refusesFirstKeysBehindTheirPositionAndDecreasingOnes() {
        Tensor x = device.allocate("x", DType.F32, 1, 3, 2);
        Tensor lse = device.allocate("lse", DType.F32, 1, 1, 3);
        Tensor late = integers("late", new int[] {0, 2, 2}, 1, 3);
        assertThatThrownBy(() -> device.operations().attentionForward(x, lse, x, x, x, late, 1, Dropout.NONE))
                .hasMessage("attentionForward: firstKey late (1, 3) I32 holds 2 at sequence 0, position 1; "
                        + "it must be 0 to 1 and never decrease");
        Tensor back = integers("back", new int[] {0, 1, 0}, 1, 3);
        assertThatThrownBy(() -> device.operations().attentionForward(x, lse, x, x, x, back, 1, Dropout.NONE))
                .hasMessageContaining("holds 0 at sequence 0, position 2");
    }

    @Test
    void refusesMorePositionsThanThereIsRoomFor() {
        Tensor x = device.allocate("x", DType.F32, 2, 3, 2);
        Tensor cache = device.allocate("cache", DType.F32, 2, 1, 5, 2);
        Tensor late = integers("late", new int[] {2, 3}, 2);
        assertThatThrownBy(() -> device.operations().attentionCached(x, cache, cache, x, x, x, late, null, 1))
                .hasMessage("attentionCached: past late (2) I32 holds 3 at sequence 1; "
                        + "with 3 new positions it must be 0 to 2");
        Tensor negative = integers("negative", new int[] {-1, 0}, 2);
        Tensor table = device.allocate("table", DType.F32, 5, 2);
        Tensor tokens = integers("tokens", new int[6], 2, 3);
        assertThatThrownBy(() -> device.operations().embeddingForward(x, tokens, table, table, negative))
                .hasMessageContaining("holds -1 at sequence 0");
    }

    /** Round to nearest among the neighbours, found by search instead of by bits. */
    @Test
    void bfloat16IsTheNearestNeighbour() {
        Random random = new Random(4);
        for (int i = 0; i < 100_000; i++) {
            float value = Float.intBitsToFloat(random.nextInt());
            short rounded = BFloat16.fromFloat(value);
            if (Float.isNaN(value)) {
                assertThat(BFloat16.toFloat(rounded)).isNaN();
                continue;
            }
            float nearest = BFloat16.toFloat(rounded);
            if (Float.isInfinite(nearest)) {
                assertThat(Math.abs(value)).isGreaterThanOrEqualTo(3.3961775e38f); // halfway from the largest to 2^128
                continue;
            }
            double distance = Math.abs((double) value - nearest);
            for (int step : (rounded & 0x7FFF) == 0 ? new int[] {1} : new int[] {-1, 1}) {
                double other = Math.abs((double) value - BFloat16.toFloat((short) (rounded + step)));
                assertThat(distance).as("%s", value).isLessThanOrEqualTo(other);
                assertThat(distance == other && (rounded & 1) == 1)
                        .as("tie of %s", value)
                        .isFalse();
            }
        }
    }
}
