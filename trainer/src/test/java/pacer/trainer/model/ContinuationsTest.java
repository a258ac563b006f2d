package pacer.trainer.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static pacer.trainer.model.SwitchesTest.LENGTH;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import pacer.trainer.ops.cpu.CpuDevice;
import pacer.trainer.ops.cpu.Gemms;
import pacer.trainer.ops.reference.ReferenceDevice;
import pacer.trainer.spec.TrainSpec.Precision;

/** Losses behind kept contexts against those of a pass over context and continuation. */
class ContinuationsTest {
    private static final int[] CONTEXTS = {9, 1, 14};
    private static final int[][] CONTINUATIONS = {{4, 7, 1}, {1, 1, 1}, {10, 2, 5}};

    @ParameterizedTest
    @EnumSource
    void everyContinuationHasTheLossOfAPassOverAll(SwitchesTest.Variant variant) throws Exception {
        CpuDevice device = CpuDevice.open(1, Gemms.Kind.VECTOR, Path.of("target", "native-cache"));
        try (Replica replica = SwitchesTest.open(variant, device, 1, false)) {
            requireEqualLosses(replica, replica.continuations(4, LENGTH).getFirst(), 1e-4);
        }
    }

    @Test
    void soItIsOnTheReferenceDevice() {
        try (Replica replica = SwitchesTest.open(SwitchesTest.Variant.SPEEDRUN, new ReferenceDevice(), 1, false)) {
            requireEqualLosses(replica, replica.continuations(3, LENGTH).getFirst(), 1e-4);
        }
    }

    @Test
    void aTrainingIsNotDisturbedAndLendsItsMemory() throws Exception {
        try (Replica undisturbed = open();
                Replica disturbed = open();
                Arena arena = Arena.ofShared()) {
            int tokens = 4 * RandomModel.LENGTH;
            MemorySegment batch = arena.allocateFrom(ValueLayout.JAVA_INT, RandomModel.tokens(tokens));
            for (int step = 0; step < 2; step++) {
                Continuations continuations =
                        disturbed.continuations(8, RandomModel.LENGTH).get(1);
                assertThat(continuations.sequences()).isEqualTo(3); // as many as two sequences' activations hold
                continuations.begin(new int[][] {{1, 2, 3}, {4}});
                double[] first = continuations.losses(new int[][] {{5, 6}, {7}});
                assertThat(continuations.losses(new int[][] {{5, 6}, {7}})).isEqualTo(first);
                for (Replica replica : new Replica[] {undisturbed, disturbed}) {
                    replica.zeroGradients();
                    double _ = replica.forwardBackward(batch, batch, 1f / tokens, DropoutPlan.NONE);
                    replica.reduceGradients();
                }
                assertThat(disturbed.gradientNorm()).isEqualTo(undisturbed.gradientNorm());
            }
        }
    }

    @Test
    void refusesMoreThanItHasRoomFor() throws Exception {
        try (Replica replica = open()) {
            Continuations continuations =
                    replica.continuations(2, RandomModel.LENGTH).getFirst();
            assertThatThrownBy(() -> continuations.begin(new int[3][1])).hasMessage("3 contexts; room for 2");
            continuations.begin(new int[][] {new int[RandomModel.LENGTH]});
            assertThat(continuations.losses(new int[][] {{1}})).hasSize(1);
            assertThatThrownBy(() -> continuations.losses(new int[][] {{1, 2}}))
                    .hasMessage("2 tokens after 20; at least one, and 21 in all");
            assertThatThrownBy(() -> continuations.losses(new int[][] {{1}, {2}}))
                    .hasMessage("2 continuations of 1 contexts");
        }
    }

    private static Replica open() throws Exception {
        return RandomModel.open(true, Engine.Kind.CPU, Precision.FP32, 2, Gemms.Kind.AUTO, 1, true);
    }

    private static void requireEqualLosses(Replica replica, Continuations continuations, double tolerance) {
        int[][] texts = IntStream.range(0, CONTEXTS.length)
                .mapToObj(b -> SwitchesTest.tokens(1, b).toArray(ValueLayout.JAVA_INT))
                .toArray(int[][]::new);
        continuations.begin(new int[][] {{1}}); // others before, to be forgotten
        int[][] contexts = new int[texts.length][];
        Arrays.setAll(contexts, b -> Arrays.copyOf(texts[b], CONTEXTS[b]));
        continuations.begin(contexts);
        for (int k = 0; k < CONTINUATIONS[0].length; k++) {
            int[][] each = new int[texts.length][];
            for (int b = 0; b < each.length; b++) {
                int from = LENGTH - CONTINUATIONS[b][k];
                each[b] = Arrays.copyOfRange(texts[b], from, LENGTH);
            }
            double[] found = continuations.losses(each);
            for (int b = 0; b < each.length; b++) {
                double expected = RandomModel.loss(replica, contexts[b], each[b]);
                assertThat(found[b]).as("context %d, continuation %d", b, k).isCloseTo(expected, within(tolerance));
            }
        }
    }
}
