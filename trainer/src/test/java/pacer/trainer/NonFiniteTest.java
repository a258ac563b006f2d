package pacer.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.trainer.checkpoint.CheckpointStore;
import pacer.trainer.checkpoint.Fence;
import pacer.trainer.dist.SoloCollectives;
import pacer.trainer.event.TrainingEvent;
import pacer.trainer.event.TrainingEvent.Skipped;
import pacer.trainer.event.TrainingEvent.Step;
import pacer.trainer.model.Engine;
import pacer.trainer.model.Replica;
import pacer.trainer.ops.Tensor;
import pacer.trainer.ops.cpu.Gemms;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecLoader;
import pacer.trainer.spec.TrainSpec.Precision;

/** Losses and gradients that are no numbers: a weight is made infinite in the midst of training. */
class NonFiniteTest {
    private static final int POISONED = 5; // an element of the token embedding, which every logit needs

    @TempDir
    private Path folder;

    private TrainerFixture fixture;
    private final List<TrainingEvent> events = new ArrayList<>();
    private Replica replica;
    private float[] atPoisoning;
    private float[] atEnd;

    @BeforeEach
    void prepare() throws Exception {
        fixture = new TrainerFixture(folder);
    }

    @Test
    void updatesAreLeftOutUntilTooManyInARow() throws Exception {
        Path run = fixture.run("skip", "train.nonFinite=skip", "train.maxSkippedInARow=3");
        assertThatThrownBy(() -> train(run, this::poisonAtStep2, () -> false))
                .isInstanceOf(TrainingFailedException.class)
                .hasMessageContainingAll("not finite at step 5", "3 steps in a row", "train.maxSkippedInARow");
        assertThat(skipped()).containsExactly(3, 4, 5);
        assertThat(atEnd).isEqualTo(atPoisoning); // an update by NaN would reach every weight
    }

    @Test
    void theCountGoesOnWhereTrainingDoes() throws Exception {
        Path run =
                fixture.run("resumed", "train.nonFinite=skip", "train.maxSkippedInARow=3", "checkpoint.everySteps=1");
        train(run, this::poisonAtStep2, () -> !skipped().isEmpty());
        assertThat(skipped()).containsExactly(3);
        assertThatThrownBy(() -> train(run, event -> {}, () -> false)).isInstanceOf(TrainingFailedException.class);
        assertThat(skipped()).containsExactly(3, 4, 5);
    }

    @Test
    void aStepThatIsWellBeginsTheCountAnew() throws Exception {
        Path run = fixture.run("healed", "train.nonFinite=skip", "train.maxSkippedInARow=2", "train.steps=6");
        Consumer<TrainingEvent> poisonAndHeal = event -> {
            if (event instanceof Step && (event.step() == 2 || event.step() == 4)) {
                poison(Float.POSITIVE_INFINITY);
            } else if (event instanceof Skipped) {
                poison(0.01f);
            }
        };
        assertThat(train(run, poisonAndHeal, () -> false)).isEqualTo(TrainingRun.End.FINISHED);
        assertThat(skipped()).containsExactly(3, 5);
    }

    @Test
    void theFirstOneEndsTrainingWhereThatIsThePolicy() throws Exception {
        Path run = fixture.run("stop", "train.nonFinite=stop");
        assertThatThrownBy(() -> train(run, this::poisonAtStep2, () -> false))
                .isInstanceOf(TrainingFailedException.class)
                .hasMessageContainingAll("not finite at step 3", "train.nonFinite is stop");
        assertThat(atEnd).isEqualTo(atPoisoning);
    }

    @Test
    void aStepFarAboveThoseBeforeIsLeftOutAlsoAfterAResume() throws Exception {
        Path run = fixture.run("outlier", "train.steps=136", "train.outlierLoss=5", "evaluation.everySteps=1000");
        assertThat(train(run, event -> {}, () -> events.stream().anyMatch(e -> e.step() == 130)))
                .isEqualTo(TrainingRun.End.STOPPED);
        assertThat(skipped()).isEmpty();
        Consumer<TrainingEvent> poisonAndHeal = event -> {
            if (event instanceof Step && event.step() == 132) {
                poison(100);
            } else if (event instanceof Skipped) {
                poison(0.01f);
            }
        };
        assertThat(train(run, poisonAndHeal, () -> false)).isEqualTo(TrainingRun.End.FINISHED);
        assertThat(skipped()).as("what it was told by before the stop counts").containsExactly(133);
        assertThat(events)
                .filteredOn(Skipped.class::isInstance)
                .singleElement()
                .asString()
                .contains("the loss is an outlier");
    }

    private void poisonAtStep2(TrainingEvent event) {
        if (event instanceof Step && event.step() == 2) {
            poison(Float.POSITIVE_INFINITY);
        }
    }

    private List<Integer> skipped() {
        return events.stream()
                .filter(Skipped.class::isInstance)
                .map(TrainingEvent::step)
                .toList();
    }

    private void poison(float value) {
        try (Arena arena = Arena.ofConfined()) {
            Tensor one = replica.weights().slice("one weight", POISONED, 1);
            replica.device().write(one, arena.allocateFrom(ValueLayout.JAVA_FLOAT, value));
            replica.weightsChanged();
        }
        atPoisoning = weights();
    }

    private float[] weights() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment all = arena.allocate(4L * replica.weights().size(), 64);
            replica.device().read(replica.weights(), all);
            return all.toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    private TrainingRun.End train(Path run, Consumer<TrainingEvent> hook, TrainingRun.Requests stop)
            throws IOException {
        RunSpec spec = SpecLoader.read(run.resolve("preset.yaml"));
        Engine engine =
                new Engine(Engine.Kind.CPU, 2, Precision.FP32, Gemms.Kind.VECTOR, Path.of("target", "native-cache"));
        try (Dataset dataset = Dataset.open(fixture.data(), spec);
                Replica opened = engine.open(
                        spec.model(), spec.sequencesAtOnce(), spec.model().sequenceLength(), true)) {
            replica = opened;
            Fence fence = Fence.acquire(run, Duration.ofSeconds(5), notice -> {});
            CheckpointStore store = new CheckpointStore(run.resolve("checkpoints"), notice -> {});
            RunCheckpoints checkpoints = new RunCheckpoints(
                    spec, dataset.manifest(), store, fence, () -> {}, null, new SoloCollectives(), null);
            SignsOfLife signs = new SignsOfLife(
                    event -> {
                        events.add(event);
                        hook.accept(event);
                    },
                    () -> 0);
            try {
                return new TrainingRun(
                                spec,
                                dataset,
                                opened,
                                new SoloCollectives(),
                                checkpoints,
                                signs,
                                stop,
                                spec.train().steps(),
                                Optional.empty())
                        .run();
            } finally {
                atEnd = weights();
            }
        }
    }
}
