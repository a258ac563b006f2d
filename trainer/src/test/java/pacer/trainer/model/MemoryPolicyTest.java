package pacer.trainer.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static pacer.trainer.model.SwitchesTest.LENGTH;
import static pacer.trainer.model.SwitchesTest.VOCABULARY;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import pacer.trainer.model.SwitchesTest.Variant;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.cpu.CpuDevice;
import pacer.trainer.ops.cpu.Gemms;

/** What is computed anew, or by parts, gives the same training. */
class MemoryPolicyTest {
    private static final int SEQUENCES = 2;

    /** Logits of seven rows: a pass of 24 goes in parts of six. */
    private static final long SEVEN_ROWS = 7 * 4 * DType.F32.paddedStride(VOCABULARY);

    private static Replica open(Variant variant, MemoryPolicy policy, DType products) throws Exception {
        CpuDevice device = CpuDevice.open(2, Gemms.Kind.VECTOR, Path.of("target", "native-cache"));
        return SwitchesTest.open(variant, policy, device, products, SEQUENCES, true);
    }

    static Stream<Arguments> recomputing() {
        return Stream.of(Variant.values()).flatMap(variant -> Stream.of(DType.F32, DType.BF16)
                .flatMap(products -> Stream.of(1, 2).map(level -> Arguments.of(variant, products, level))));
    }

    @ParameterizedTest
    @MethodSource("recomputing")
    void whatIsComputedAnewIsTheSameBitForBitAndTakesLess(Variant variant, DType products, int level) throws Exception {
        try (Replica kept = open(variant, MemoryPolicy.STANDARD, products);
                Replica anew = open(variant, MemoryPolicy.recomputing(level), products)) {
            for (int round = 0; round < 2; round++) { // in the second, buffers hold what the first left
                assertThat(SwitchesTest.step(anew)).isEqualTo(SwitchesTest.step(kept));
                assertThat(SwitchesTest.read(anew, anew.gradients()))
                        .isEqualTo(SwitchesTest.read(kept, kept.gradients()));
            }
            assertThat(loss(anew)).isEqualTo(loss(kept));
            int c = variant.spec().width();
            long normed = variant.spec().layers() + variant.spec().attentionLayers() - 1L;
            long activated = 4L * (variant.spec().layers() - 1);
            long spared = activated + (level == 2 ? normed : 0);
            assertThat(kept.plannedBytes() - anew.plannedBytes()).isEqualTo(spared * c * LENGTH * products.bytes());
        }
    }

    @ParameterizedTest
    @EnumSource
    void partsOfTheLogitsGiveTheSameStep(Variant variant) throws Exception {
        MemoryPolicy parts = new MemoryPolicy(0, SEVEN_ROWS);
        for (DType products : new DType[] {DType.F32, DType.BF16}) {
            try (Replica whole = open(variant, MemoryPolicy.STANDARD, products);
                    Replica divided = open(variant, parts, products);
                    Replica again = open(variant, parts, products)) {
                double loss = SwitchesTest.step(whole);
                assertThat(SwitchesTest.step(divided)).isCloseTo(loss, within(1e-6 * loss));
                float[] gradients = SwitchesTest.read(divided, divided.gradients());
                assertThat(RandomModel.difference(gradients, SwitchesTest.read(whole, whole.gradients())))
                        .isLessThan(1e-6);
                double _ = SwitchesTest.step(again);
                assertThat(SwitchesTest.read(again, again.gradients())).isEqualTo(gradients);
                assertThat(loss(divided)).isCloseTo(loss(whole), within(1e-6 * loss(whole)));
                assertThat(divided.plannedBytes()).isLessThan(whole.plannedBytes());
            }
        }
    }

    @Test
    void everyRowsLogitsCanBeReadWhicheverPartTheyAreIn() throws Exception {
        try (Replica whole = open(Variant.SPEEDRUN, MemoryPolicy.STANDARD, DType.F32);
                Replica divided = open(Variant.SPEEDRUN, new MemoryPolicy(0, SEVEN_ROWS), DType.F32);
                Arena arena = Arena.ofConfined()) {
            MemorySegment found = arena.allocate(4L * VOCABULARY, 64);
            MemorySegment expected = arena.allocate(4L * VOCABULARY, 64);
            for (long seed : new long[] {1, 2}) { // the second batch's, though the first one's part is at hand
                MemorySegment text = SwitchesTest.tokens(1, seed);
                whole.single().logits(text, 0, expected);
                divided.single().logits(text, 0, found);
                for (int row : IntStream.concat(IntStream.range(0, LENGTH), IntStream.of(3, 22, 0))
                        .toArray()) {
                    whole.single().readLogits(row, expected);
                    divided.single().readLogits(row, found);
                    assertThat(RandomModel.difference(
                                    found.toArray(ValueLayout.JAVA_FLOAT), expected.toArray(ValueLayout.JAVA_FLOAT)))
                            .as("row %d", row)
                            .isLessThan(1e-6);
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "100, 100, 100",
        "100, 99, 64", // two parts of 50, which 64 and 36 are as well
        "48, 7, 7",
        "7, 1, 1",
        "65536, 2668, 2624", // GPT-2's padded vocabulary: 25 parts
        "5, 0, 1",
    })
    void partsAreEvenAndWithinTheBound(int rows, int most, int expected) {
        assertThat(Head.partRows(rows, 4, 4L * most)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({"-1, 1", "3, 1", "0, 0"})
    void nothingElseIsAPolicy(int recompute, long logitBytes) {
        assertThatThrownBy(() -> new MemoryPolicy(recompute, logitBytes)).isInstanceOf(IllegalArgumentException.class);
    }

    private static double loss(Replica replica) {
        return replica.loss(SwitchesTest.tokens(SEQUENCES, 8), SwitchesTest.tokens(SEQUENCES, 9));
    }
}
