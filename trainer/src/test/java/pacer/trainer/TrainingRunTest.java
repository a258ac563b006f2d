package pacer.trainer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.trainer.checkpoint.CheckpointStore;
import pacer.trainer.checkpoint.Fence;
import pacer.trainer.dist.SoloCollectives;
import pacer.trainer.eval.TextModel;
import pacer.trainer.event.TrainingEvent;
import pacer.trainer.model.Engine;
import pacer.trainer.model.Replica;
import pacer.trainer.ops.cpu.Gemms;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecLoader;
import pacer.trainer.spec.TrainSpec.Precision;

/** The loop itself, in this process. */
class TrainingRunTest {
    @TempDir
    private Path folder;

    private TrainerFixture fixture;

    @BeforeEach
    void prepare() throws Exception {
        fixture = new TrainerFixture(folder);
    }

    @Test
    void anotherEngineThanTheCheckpointsIsToldWhenTrainingGoesOn() throws Exception {
        Path run = fixture.run("moved", "train.steps=2", "checkpoint.everySteps=1");
        List<TrainingEvent> first = new ArrayList<>();
        train(run, Gemms.Kind.AUTO, first, () -> stepsIn(first) == 1);
        List<TrainingEvent> same = new ArrayList<>();
        train(run, Gemms.Kind.AUTO, same, () -> true);
        assertThat(same).noneMatch(TrainingRunTest::speaksOfBits);

        List<TrainingEvent> other = new ArrayList<>();
        train(run, Gemms.Kind.VECTOR, other, () -> false);
        assertThat(other)
                .filteredOn(TrainingRunTest::speaksOfBits)
                .singleElement()
                .satisfies(event -> assertThat(((TrainingEvent.Notice) event).text())
                        .contains("step-000001", "Java Vector API", "asked for"));
    }

    @Test
    void aStopBetweenMicroStepsDiscardsTheStepAndChangesNoLossOfTheRun() throws Exception {
        String[] sets = {"train.steps=3", "checkpoint.everySteps=0"};
        List<TrainingEvent> undisturbed = new ArrayList<>();
        train(fixture.run("undisturbed", sets), Gemms.Kind.AUTO, undisturbed, () -> false);

        Path run = fixture.run("stopped", sets);
        List<TrainingEvent> events = new ArrayList<>();
        int[] asked = {0};
        BooleanSupplier betweenMicroSteps = () -> stepsIn(events) == 1 && ++asked[0] == 2;
        assertThat(train(run, Gemms.Kind.AUTO, events, betweenMicroSteps)).isEqualTo(TrainingRun.End.STOPPED);
        assertThat(events.getLast()).isInstanceOf(TrainingEvent.Checkpointed.class);
        assertThat(events.getLast().step()).isEqualTo(1);

        assertThat(train(run, Gemms.Kind.AUTO, events, () -> false)).isEqualTo(TrainingRun.End.FINISHED);
        assertThat(losses(events)).hasSize(4 + 1).isEqualTo(losses(undisturbed)); // 3 steps, validations at 0 and 3
    }

    @Test
    void aValidationThatAStopBrokeOffIsMadeWhenTrainingGoesOn() throws Exception {
        String[] sets = {"train.steps=3", "evaluation.everySteps=2", "checkpoint.everySteps=0"};
        List<TrainingEvent> undisturbed = new ArrayList<>();
        train(fixture.run("undisturbed", sets), Gemms.Kind.AUTO, undisturbed, () -> false);

        Path run = fixture.run("stopped", sets);
        List<TrainingEvent> events = new ArrayList<>();
        train(run, Gemms.Kind.AUTO, events, () -> stepsIn(events) == 2);
        assertThat(events).noneMatch(e -> e instanceof TrainingEvent.Validated && e.step() == 2);

        List<TrainingEvent> rest = new ArrayList<>();
        train(run, Gemms.Kind.AUTO, rest, () -> stepsIn(rest) == 1);
        events.addAll(rest);
        train(run, Gemms.Kind.AUTO, events, () -> false);
        assertThat(losses(events)).isEqualTo(losses(undisturbed));
        CheckpointStore store = new CheckpointStore(run.resolve("checkpoints"), notice -> {});
        assertThat(store.newest().orElseThrow().state().validationLoss()).isNotNull();
    }

    /** The sampler's keys and values lie in memory that training uses. */
    @Test
    void samplesChangeNoLossAndAreThoseOfTheCheckpoint() throws Exception {
        String[] sets = {"train.steps=4", "checkpoint.everySteps=1", "checkpoint.keepLast=9", "sample.tokens=90"};
        List<TrainingEvent> undisturbed = new ArrayList<>();
        train(fixture.run("undisturbed", sets), Gemms.Kind.AUTO, undisturbed, () -> false);

        Path run = fixture.run(
                "sampling",
                Stream.concat(Stream.of(sets), Stream.of("sample.everySteps=2")).toArray(String[]::new));
        List<TrainingEvent> events = new ArrayList<>();
        train(run, Gemms.Kind.AUTO, events, () -> false);
        assertThat(losses(events)).isEqualTo(losses(undisturbed));

        RunSpec spec = SpecLoader.read(run.resolve("preset.yaml"));
        Engine lane =
                new Engine(Engine.Kind.CPU, 1, Precision.FP32, Gemms.Kind.AUTO, Path.of("target", "native-cache"));
        try (TextModel model = TextModel.open(run.resolve("checkpoints/step-000002"), lane)) {
            assertThat(events.stream().filter(TrainingEvent.Sampled.class::isInstance))
                    .singleElement()
                    .satisfies(e -> assertThat(((TrainingEvent.Sampled) e).text())
                            .hasSizeGreaterThan(80)
                            .isEqualTo(Samples.write(model, spec, 2)));
        }
    }

    /** Losses of steps and validations, bit for bit, in order. */
    private static List<String> losses(List<TrainingEvent> events) {
        return events.stream()
                .map(event -> switch (event) {
                    case TrainingEvent.Step e -> "step " + e.step() + " " + Double.toHexString(e.loss());
                    case TrainingEvent.Validated e -> "validated " + e.step() + " " + Double.toHexString(e.loss());
                    default -> "";
                })
                .filter(text -> !text.isEmpty())
                .toList();
    }

    @Test
    void aLossThatIsNoNumberIsNeverTheBest() {
        assertThat(TrainingRun.isBetter(Double.NaN, null)).isFalse();
        assertThat(TrainingRun.isBetter(Double.POSITIVE_INFINITY, null)).isFalse();
        assertThat(TrainingRun.isBetter(2.0, null)).isTrue();
        assertThat(TrainingRun.isBetter(1.5, 2.0)).isTrue();
        assertThat(TrainingRun.isBetter(2.5, 2.0)).isFalse();
    }

    private static boolean speaksOfBits(TrainingEvent event) {
        return event instanceof TrainingEvent.Notice notice && notice.text().contains("bits differ");
    }

    private static long stepsIn(List<TrainingEvent> events) {
        return events.stream().filter(TrainingEvent.Step.class::isInstance).count();
    }

    private TrainingRun.End train(Path run, Gemms.Kind products, List<TrainingEvent> events, BooleanSupplier stop)
            throws IOException {
        RunSpec spec = SpecLoader.read(run.resolve("preset.yaml"));
        Engine engine = new Engine(Engine.Kind.CPU, 2, Precision.FP32, products, Path.of("target", "native-cache"));
        try (Dataset dataset = Dataset.open(fixture.data(), spec);
                Replica replica = engine.open(
                        spec.model(),
                        TrainingBatches.microBatch(spec),
                        spec.model().sequenceLength(),
                        true)) {
            Fence fence = Fence.acquire(run, Duration.ofSeconds(5), notice -> {});
            CheckpointStore store = new CheckpointStore(run.resolve("checkpoints"), notice -> {});
            RunCheckpoints checkpoints = new RunCheckpoints(spec, dataset.manifest(), store, fence, () -> {}, null, 0);
            return new TrainingRun(spec, dataset, replica, new SoloCollectives(), checkpoints, events::add, stop).run();
        }
    }
}
