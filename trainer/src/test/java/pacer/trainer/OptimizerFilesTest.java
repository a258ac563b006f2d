package pacer.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.trainer.checkpoint.Checkpoint;
import pacer.trainer.checkpoint.CheckpointStore;
import pacer.trainer.checkpoint.ElementType;
import pacer.trainer.checkpoint.Fence;
import pacer.trainer.checkpoint.InvalidFileException;
import pacer.trainer.checkpoint.TensorSource;
import pacer.trainer.checkpoint.TrainingState;
import pacer.trainer.spec.DatasetSpec;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecLoader;

/** What the optimizer kept, found again element by element in the files of any number of ranks. */
class OptimizerFilesTest {
    @TempDir
    private Path run;

    private Fence fence;
    private RunSpec spec;

    @BeforeEach
    void open() throws Exception {
        fence = Fence.acquire(run, Duration.ofSeconds(5), notice -> {});
        spec = SpecLoader.load("quickstart", List.of(), List.of());
    }

    /** Elements [from, to) of a tensor of 12, whose element i is i. */
    private static TensorSource part(long from, long to) {
        float[] values = new float[(int) (to - from)];
        for (int i = 0; i < values.length; i++) {
            values[i] = from + i;
        }
        MemorySegment bytes = Arena.ofAuto().allocateFrom(ValueLayout.JAVA_FLOAT, values);
        return TensorSource.of(OptimizerFiles.name("exp_avg.w", from, to, 12), ElementType.F32, bytes, to - from);
    }

    private Checkpoint written(TensorSource... byRank) throws IOException {
        TrainingState state = new TrainingState(
                1,
                1,
                "5pec",
                null,
                null,
                null,
                DatasetSpec.Tokenizer.GPT2,
                null,
                spec.model(),
                byRank.length,
                TrainingState.Skips.NONE,
                null,
                null,
                0,
                TrainingState.Recent.NONE,
                null,
                null);
        CheckpointStore store = new CheckpointStore(run.resolve("checkpoints"), notice -> {});
        return store.saveSharded(
                fence,
                state,
                List.of(part(0, 12)),
                Arrays.stream(byRank).map(List::of).toList());
    }

    private static float[] read(Checkpoint checkpoint, long from, long to) throws IOException {
        try (OptimizerFiles files = OptimizerFiles.open(checkpoint);
                Arena arena = Arena.ofConfined()) {
            MemorySegment values = arena.allocate(4 * (to - from), 4);
            files.read("exp_avg.w", 12, from, values);
            return values.toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    @Test
    void anyStretchIsFoundInPartsInAnyOrder() throws IOException {
        Checkpoint checkpoint = written(part(8, 12), part(0, 3), part(3, 8));
        for (int from = 0; from < 12; from++) {
            for (int to = from + 1; to <= 12; to++) {
                float[] expected = new float[to - from];
                for (int i = 0; i < expected.length; i++) {
                    expected[i] = from + i;
                }
                assertThat(read(checkpoint, from, to)).as("[%d, %d)", from, to).containsExactly(expected);
            }
        }
    }

    @Test
    void aGapIsNamed() throws IOException {
        Checkpoint checkpoint = written(part(0, 4), part(6, 12));
        assertThat(read(checkpoint, 6, 12)).hasSize(6);
        assertThatThrownBy(() -> read(checkpoint, 2, 8))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("exp_avg.w")
                .hasMessageContaining("elements 4 to 8 are in no optimizer file");
    }

    /** As many elements as were asked for, and yet some are missing. */
    @Test
    void partsThatLieOverEachOtherAreNamed() throws IOException {
        Checkpoint checkpoint = written(part(0, 6), part(4, 10));
        assertThatThrownBy(() -> read(checkpoint, 0, 12))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("exp_avg.w[4:10]")
                .hasMessageContaining("overlaps with exp_avg.w[0:6]");
    }

    @Test
    void aTensorThatIsLongerThanTheModelsIsRefused() throws IOException {
        Checkpoint checkpoint = written(part(0, 12));
        try (OptimizerFiles files = OptimizerFiles.open(checkpoint);
                Arena arena = Arena.ofConfined()) {
            MemorySegment values = arena.allocate(16, 4);
            assertThatThrownBy(() -> files.read("exp_avg.w", 8, 0, values))
                    .isInstanceOf(InvalidFileException.class)
                    .hasMessageContaining("the model's has 8 elements");
        }
    }
}
