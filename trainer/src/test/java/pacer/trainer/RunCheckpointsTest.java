package pacer.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.Flushable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import pacer.trainer.checkpoint.CheckpointStore;
import pacer.trainer.checkpoint.Fence;
import pacer.trainer.checkpoint.TrainingState;
import pacer.trainer.checkpoint.TrainingState.Recent;
import pacer.trainer.checkpoint.TrainingState.Skips;
import pacer.trainer.data.BadDataException;
import pacer.trainer.data.Split;
import pacer.trainer.dist.SoloCollectives;
import pacer.trainer.model.Engine;
import pacer.trainer.model.Replica;
import pacer.trainer.ops.cpu.Gemms;
import pacer.trainer.optim.Optimizer;
import pacer.trainer.spec.DatasetSpec;
import pacer.trainer.spec.OptimizerSpec;
import pacer.trainer.spec.Processor;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecLoader;
import pacer.trainer.spec.SpecResolver;
import pacer.trainer.spec.TrainSpec.Precision;
import pacer.trainer.text.DatasetManifest;
import pacer.trainer.text.Tokenization;

class RunCheckpointsTest {
    private static final Flushable NOTHING = () -> {};

    @TempDir
    private Path run;

    private RunSpec spec;
    private Replica replica;
    private Optimizer optimizer;
    private Fence fence;

    @BeforeEach
    void open() throws Exception {
        List<String> sets = List.of(
                "model.layers=1",
                "model.heads=1",
                "model.width=4",
                "model.sequenceLength=4",
                "train.batchTokens=8",
                "train.microBatch=2");
        spec = SpecResolver.resolve(SpecLoader.load("quickstart", List.of(), sets), new Processor(1, false), 3);
        replica = new Engine(Engine.Kind.REFERENCE, 1, Precision.FP32, Gemms.Kind.AUTO, run)
                .open(spec.model(), 2, 4, true);
        optimizer = Optimizer.of(replica, spec.optimizer());
        fence = Fence.acquire(run, Duration.ofSeconds(5), notice -> {});
    }

    @AfterEach
    void close() {
        replica.close();
    }

    @Test
    void whatWasSavedIsFoundAgainOnTheSameData() throws IOException {
        RunCheckpoints checkpoints = checkpoints(dataset("5ha", "a", "b", "c"), NOTHING);
        save(checkpoints);
        assertThat(checkpoints.restore(replica, optimizer)).isPresent();
    }

    @ParameterizedTest
    @EnumSource
    void whatEachRuleKeepsIsFoundAgain(OptimizerSpec.Type type) throws IOException {
        OptimizerSpec rule = new OptimizerSpec(
                type,
                1e-3,
                0.9,
                0.95,
                1e-8,
                0.1,
                0,
                0,
                0,
                0.95,
                0.85,
                300,
                OptimizerSpec.Momentum.MEAN,
                OptimizerSpec.UpdateScale.TALLER,
                false);
        Optimizer written = Optimizer.of(replica, rule);
        for (Optimizer.State state : written.state()) {
            replica.device().write(state.tensor(), floats(state));
        }
        RunCheckpoints checkpoints = checkpoints(dataset("5ha", "a", "b", "c"), NOTHING);
        checkpoints.save(replica, written, state(checkpoints), (done, total) -> false);
        Optimizer read = Optimizer.of(replica, rule);
        assertThat(checkpoints.restore(replica, read)).isPresent();
        assertThat(read.state()).hasSameSizeAs(written.state()).isNotEmpty();
        for (Optimizer.State state : read.state()) {
            MemorySegment values = Arena.ofAuto().allocate(4 * state.tensor().size());
            replica.device().read(state.tensor(), values);
            assertThat(values.mismatch(floats(state))).as(state.name()).isEqualTo(-1);
        }
    }

    /** Numbers that are of this state alone. */
    private static MemorySegment floats(Optimizer.State state) {
        float[] values = new float[(int) state.tensor().size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = state.name().hashCode() + i;
        }
        return Arena.ofAuto().allocateFrom(ValueLayout.JAVA_FLOAT, values);
    }

    @Test
    void aCheckpointOfOtherDataIsRefusedNamingBoth() throws IOException {
        DatasetManifest before = dataset("5ha", "a", "b", "c");
        DatasetManifest now = dataset("07he5", "a", "b", "c");
        save(checkpoints(before, NOTHING));
        assertThatThrownBy(() -> checkpoints(now, NOTHING).restore(replica, optimizer))
                .isInstanceOf(BadDataException.class)
                .hasMessageContaining("step-000002")
                .hasMessageContaining(before.identity())
                .hasMessageContaining(now.identity())
                .hasMessageEndingWith("begin anew with --new");
    }

    @Test
    void theSameTokensOfOtherCharactersAreOtherData() {
        assertThat(dataset("5ha", "a", "b", "d").identity())
                .isNotEqualTo(dataset("5ha", "a", "b", "c").identity());
    }

    @Test
    void aCheckpointFromBeforeTheDatasetWasRecordedIsTaken() throws IOException {
        RunCheckpoints checkpoints = checkpoints(dataset("5ha", "a", "b", "c"), NOTHING);
        checkpoints.save(replica, optimizer, fromBefore(state(checkpoints)), (done, total) -> false);
        assertThat(checkpoints.restore(replica, optimizer)).isPresent();
    }

    @Test
    void aCheckpointFromBeforeIsRefusedWhenItsCharactersAreOthers() throws IOException {
        RunCheckpoints before = checkpoints(dataset("5ha", "a", "b", "d"), NOTHING);
        before.save(replica, optimizer, fromBefore(state(before)), (done, total) -> false);
        assertThatThrownBy(() ->
                        checkpoints(dataset("5ha", "a", "b", "c"), NOTHING).restore(replica, optimizer))
                .isInstanceOf(BadDataException.class)
                .hasMessageContaining("\"abd\"")
                .hasMessageContaining("\"abc\"");
    }

    @Test
    void eventsAreOnDiskBeforeTheCheckpointExists() throws IOException {
        Path checkpoint = run.resolve("checkpoints/step-000002");
        List<Boolean> existed = new ArrayList<>();
        save(checkpoints(dataset("5ha", "a", "b", "c"), () -> existed.add(Files.exists(checkpoint))));
        assertThat(existed).containsExactly(false);
        assertThat(checkpoint).exists();
    }

    private void save(RunCheckpoints checkpoints) throws IOException {
        checkpoints.save(replica, optimizer, state(checkpoints), (done, total) -> false);
    }

    private static TrainingState state(RunCheckpoints checkpoints) {
        return checkpoints.state(2, 4, null, null, Skips.NONE, Recent.NONE, "an engine", false);
    }

    private static TrainingState fromBefore(TrainingState state) {
        return new TrainingState(
                state.step(),
                state.samples(),
                state.specHash(),
                null,
                null,
                null,
                state.tokenizer(),
                state.vocabulary(),
                state.model(),
                1,
                state.skips(),
                null,
                null,
                null,
                null,
                null,
                null);
    }

    private RunCheckpoints checkpoints(DatasetManifest dataset, Flushable events) {
        CheckpointStore store = new CheckpointStore(run.resolve("checkpoints"), notice -> {});
        return new RunCheckpoints(spec, dataset, store, fence, events, null, new SoloCollectives(), null);
    }

    private static DatasetManifest dataset(String sha256, String... characters) {
        return new DatasetManifest(
                "file:text.txt",
                "",
                100,
                DatasetSpec.Format.TEXT,
                DatasetSpec.Tokenizer.CHARACTERS,
                characters.length,
                List.of(characters),
                0,
                List.of(new Tokenization.Shard("train-000000.bin", Split.TRAIN, 100, 1224, sha256)));
    }
}
