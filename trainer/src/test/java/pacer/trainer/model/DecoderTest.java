package pacer.trainer.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static pacer.trainer.model.RandomModel.LENGTH;
import static pacer.trainer.model.RandomModel.VOCABULARY;
import static pacer.trainer.model.RandomModel.difference;
import static pacer.trainer.model.RandomModel.logits;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import pacer.trainer.ops.cpu.Gemms;
import pacer.trainer.spec.TrainSpec.Precision;

/** Logits from the cache against those of a pass over the whole context. */
class DecoderTest {
    private static final int[] TOKENS = RandomModel.tokens(LENGTH);

    @ParameterizedTest
    @CsvSource({
        "true, CPU, FP32, 1, AUTO",
        "false, CPU, FP32, 1, AUTO",
        "true, CPU, FP32, 3, AUTO",
        "false, CPU, FP32, 2, VECTOR",
        "true, CPU, BF16, 1, AUTO",
        "false, CPU, BF16, 2, AUTO",
        "true, CPU, BF16, 2, VECTOR",
        "true, REFERENCE, FP32, 1, AUTO",
    })
    void everyPositionHasTheLogitsOfTheFullPass(
            boolean bias, Engine.Kind kind, Precision precision, int threads, Gemms.Kind products) throws Exception {
        try (Replica replica = RandomModel.open(bias, kind, precision, threads, products, 1, false)) {
            Decoder decoder = replica.decoder();
            double worst = 0;
            for (int[] steps : new int[][] {{1}, {7, 1}, {LENGTH}, {4, 5, 1, 2}}) {
                decoder.truncate(0);
                for (int i = 0; decoder.size() < LENGTH; i++) {
                    int next = Math.min(LENGTH, decoder.size() + steps[i % steps.length]);
                    decoder.append(TOKENS, decoder.size(), next);
                    float[] full = logits(replica, Arrays.copyOf(TOKENS, next));
                    worst = Math.max(worst, difference(logits(decoder), full));
                }
            }
            assertThat(worst).isLessThan(precision == Precision.BF16 ? 1e-2 : 1e-5);
        }
    }

    @Test
    void aSequenceGoesOnFromWhereItIsCutOff() throws Exception {
        try (Replica replica = open(1, false)) {
            Decoder decoder = replica.decoder();
            decoder.append(TOKENS, 0, 9);
            decoder.truncate(5);
            int[] other = Arrays.copyOf(TOKENS, 7);
            other[5] = (TOKENS[5] + 1) % VOCABULARY;
            decoder.append(other, 5, 7);
            assertThat(decoder.size()).isEqualTo(7);
            assertThat(difference(logits(decoder), logits(replica, other))).isLessThan(1e-5);
        }
    }

    @Test
    void refusesMoreThanItHasRoomForAndNothing() throws Exception {
        try (Replica replica = open(1, false)) {
            Decoder decoder = replica.decoder();
            decoder.append(TOKENS, 0, LENGTH - 1);
            int[] two = {1, 2};
            assertThatThrownBy(() -> decoder.append(two, 0, 2))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("2 tokens after 20; at least one, and 21 in all");
            assertThatThrownBy(() -> decoder.append(two, 0, 0)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> decoder.truncate(LENGTH)).isInstanceOf(IllegalArgumentException.class);
            decoder.append(two, 0, 1);
            assertThat(decoder.size()).isEqualTo(LENGTH);
        }
    }

    /** Keys and values lie in memory that training uses: neither may harm the other. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void trainingAndDecodingTakeTurns(int threads) throws Exception {
        try (Replica undisturbed = open(threads, true);
                Replica disturbed = open(threads, true);
                Replica still = open(threads, false);
                Arena arena = Arena.ofShared()) {
            MemorySegment batch = arena.allocateFrom(ValueLayout.JAVA_INT, RandomModel.tokens(4 * LENGTH));
            float[] expected = logits(still, Arrays.copyOf(TOKENS, 11));
            for (int step = 0; step < 3; step++) {
                Decoder decoder = disturbed.decoder();
                decoder.truncate(0);
                decoder.append(TOKENS, 0, 10);
                decoder.append(TOKENS, 10, 11);
                assertThat(difference(logits(decoder), expected)).isLessThan(1e-5);
                for (Replica replica : new Replica[] {undisturbed, disturbed}) {
                    replica.zeroGradients();
                    double _ = replica.forwardBackward(batch, batch, 1f / (4 * LENGTH), DropoutPlan.NONE);
                    replica.reduceGradients();
                }
                assertThat(disturbed.gradientNorm()).isEqualTo(undisturbed.gradientNorm());
            }
        }
    }

    @Test
    void takesLessMemoryInTrainingThanAModelOfOneSequence() throws Exception {
        try (Replica replica = open(1, true)) {
            long planned = replica.plannedBytes();
            replica.decoder();
            long decoder = replica.plannedBytes() - planned;
            replica.single();
            assertThat(decoder).isLessThan(replica.plannedBytes() - planned - decoder);
        }
    }

    private static Replica open(int threads, boolean training) throws Exception {
        return RandomModel.open(true, Engine.Kind.CPU, Precision.FP32, threads, Gemms.Kind.AUTO, 1, training);
    }
}
