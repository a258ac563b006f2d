package pacer.trainer;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import pacer.trainer.data.TokenLoader;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecLoader;
import pacer.trainer.spec.TrainSpec.Loader;

/** Which tokens a step has: the same at every number of ranks, each rank a slice of its own, as llm.c and modded-nanogpt divide them. */
class TrainingBatchesTest {
    private static final int SEQUENCES = 16;
    private static final int LENGTH = 16;

    @TempDir
    private Path folder;

    private RunSpec spec(TrainerFixture fixture, int ranks, int microBatch, Loader loader) throws Exception {
        Path run = fixture.run(
                "run",
                "train.batchTokens=" + SEQUENCES * LENGTH,
                "train.microBatch=" + microBatch,
                "train.ranks=" + ranks,
                "train.loader=" + loader.name().toLowerCase(Locale.ROOT));
        return SpecLoader.read(run.resolve("preset.yaml"));
    }

    /** Inputs and targets of {@code step}, sequence by sequence, of all ranks one after the other. */
    private static List<String> sequences(RunSpec spec, TokenLoader loader, int step) {
        List<String> all = new ArrayList<>();
        for (int rank = 0; rank < spec.train().ranks(); rank++) {
            TrainingBatches batches = new TrainingBatches(spec, loader, rank);
            for (int micro = 0; micro < batches.microSteps(); micro++) {
                batches.load(step, micro);
                assertThat(batches.firstSequence(micro))
                        .as("place in the batch")
                        .isEqualTo(all.size());
                for (int b = 0; b < spec.sequencesAtOnce(); b++) {
                    all.add(tokens(batches.inputs(), b) + " > " + tokens(batches.targets(), b));
                }
            }
        }
        return all;
    }

    private static String tokens(MemorySegment batch, int sequence) {
        int[] tokens = batch.asSlice(4L * sequence * LENGTH, 4L * LENGTH).toArray(ValueLayout.JAVA_INT);
        return Arrays.toString(tokens);
    }

    @ParameterizedTest
    @EnumSource
    void aStepHasTheSameTokensAtEveryNumberOfRanks(Loader loader) throws Exception {
        TrainerFixture fixture = new TrainerFixture(folder);
        RunSpec alone = spec(fixture, 1, 4, loader);
        try (Dataset dataset = Dataset.open(fixture.data(), alone)) {
            List<String> expected = sequences(alone, dataset.training(), 3);
            assertThat(expected).hasSize(SEQUENCES).doesNotHaveDuplicates();
            for (int ranks : new int[] {2, 4, 8, 16}) {
                for (int micro : new int[] {1, 2, 16}) { // gradient accumulation makes up the difference
                    assertThat(sequences(spec(fixture, ranks, micro, loader), dataset.training(), 3))
                            .as("%d ranks, micro-batches of %d", ranks, micro)
                            .isEqualTo(expected);
                }
            }
        }
    }

    @Test
    void stepsFollowOneAnotherWithoutAGapOrAnOverlap() throws Exception {
        TrainerFixture fixture = new TrainerFixture(folder);
        RunSpec spec = spec(fixture, 4, 2, Loader.SEQUENTIAL);
        List<Long> asked = new ArrayList<>();
        TokenLoader counting = new TokenLoader() {
            @Override
            public void window(long sample, int length, MemorySegment inputs, MemorySegment targets, long offset) {
                asked.add(sample);
            }

            @Override
            public long tokens() {
                return Long.MAX_VALUE;
            }
        };
        for (int step = 0; step < 5; step++) {
            sequences(spec, counting, step);
        }
        assertThat(asked)
                .containsExactlyElementsOf(
                        LongStream.range(0, 5L * SEQUENCES).boxed().toList());
    }
}
