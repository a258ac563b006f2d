package pacer.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.trainer.checkpoint.CheckpointStore;
import pacer.trainer.checkpoint.Fence;
import pacer.trainer.dist.Collectives;
import pacer.trainer.dist.Group;
import pacer.trainer.dist.Rendezvous;
import pacer.trainer.dist.SocketCollectives;
import pacer.trainer.dist.SoloCollectives;
import pacer.trainer.eval.HellaSwag;
import pacer.trainer.eval.TextModel;
import pacer.trainer.event.TrainingEvent;
import pacer.trainer.event.TrainingEvent.Working;
import pacer.trainer.event.TrainingEvent.Working.Phase;
import pacer.trainer.model.Engine;
import pacer.trainer.model.Replica;
import pacer.trainer.ops.cpu.Gemms;
import pacer.trainer.spec.HellaSwagSpec;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecLoader;
import pacer.trainer.spec.TrainSpec.Precision;

/** The loop itself, in this process. */
class TrainingRunTest {
    @TempDir
    private Path folder;

    private TrainerFixture fixture;
    private Path weights; // that training begins with; null where they are drawn

    private static final int EXAMPLES = 80; // several batches

    private Path examples; // of HellaSwag; null where none is measured

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

    /** A model that somebody trained and exported: its loss is measured, then it is trained further. */
    @Test
    void trainingBeginsWithTheWeightsOfAnExportedModel() throws Exception {
        String[] sets = {"model.bias=true", "checkpoint.everySteps=0", "evaluation.everySteps=2"};
        Path first = fixture.run("first", with(sets, "train.steps=3"));
        List<TrainingEvent> before = new ArrayList<>();
        train(first, Gemms.Kind.AUTO, before, () -> false);
        weights = fixture.exported(first);

        String[] from = with(sets, "weights.from=file:" + weights);
        Path measured = fixture.run("measured", with(from, "train.steps=0"));
        List<TrainingEvent> events = new ArrayList<>();
        assertThat(train(measured, Gemms.Kind.AUTO, events, () -> false)).isEqualTo(TrainingRun.End.FINISHED);
        assertThat(validations(events)).containsExactly(validations(before).getLast());
        CheckpointStore store = new CheckpointStore(measured.resolve("checkpoints"), notice -> {});
        assertThat(store.newest().orElseThrow().state().validationLoss())
                .isEqualTo(validations(before).getLast());
        assertThat(stepsIn(events)).isZero();
        train(measured, Gemms.Kind.AUTO, events, () -> false); // there is nothing more to do

        List<TrainingEvent> further = new ArrayList<>();
        train(fixture.run("further", with(from, "train.steps=2")), Gemms.Kind.AUTO, further, () -> false);
        assertThat(validations(further).getFirst())
                .isEqualTo(validations(before).getLast());
        assertThat(validations(further).getLast())
                .isLessThan(validations(before).getLast());
        assertThat(further)
                .noneMatch(event -> event instanceof TrainingEvent.Notice notice
                        && notice.text().contains("guessing"));

        Path other = fixture.run("other", with(from, "train.steps=1", "model.heads=1"));
        assertThatThrownBy(() -> train(other, Gemms.Kind.AUTO, new ArrayList<>(), () -> false))
                .hasMessageContaining("config.json: model: model.heads is 1, there it is");
        weights = null;
        Path lost = fixture.run("lost", with(from, "train.steps=1"));
        assertThatThrownBy(() -> train(lost, Gemms.Kind.AUTO, new ArrayList<>(), () -> false))
                .hasMessageContaining("--weights is missing");
    }

    private static List<Double> validations(List<TrainingEvent> events) {
        return events.stream()
                .filter(TrainingEvent.Validated.class::isInstance)
                .map(event -> ((TrainingEvent.Validated) event).loss())
                .toList();
    }

    private static String[] with(String[] sets, String... more) {
        return Stream.concat(Stream.of(sets), Stream.of(more)).toArray(String[]::new);
    }

    @Test
    void aStopBetweenMicroStepsDiscardsTheStepAndChangesNoLossOfTheRun() throws Exception {
        String[] sets = {"train.steps=3", "checkpoint.everySteps=0"};
        List<TrainingEvent> undisturbed = new ArrayList<>();
        train(fixture.run("undisturbed", sets), Gemms.Kind.AUTO, undisturbed, () -> false);

        Path run = fixture.run("stopped", sets);
        List<TrainingEvent> events = new ArrayList<>();
        int[] asked = {0};
        TrainingRun.Requests betweenMicroSteps = () -> stepsIn(events) == 1 && ++asked[0] == 2;
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

    @Test
    void hellaSwagThatAStopBrokeOffIsMadeWhenTrainingGoesOnThoughNoValidationIsDue() throws Exception {
        examples = fixture.data().resolveSibling("examples.jsonl");
        Files.writeString(
                examples,
                "{\"ctx\": \"the cat\", \"endings\": [\"sat\", \"flew\", \"on a\", \"two\"], \"label\": 0}\n"
                        .repeat(EXAMPLES));
        String[] sets = {"train.steps=5", "evaluation.everySteps=5", "checkpoint.everySteps=0"};
        Path run = fixture.run("stopped", sets);
        List<TrainingEvent> events = new ArrayList<>();
        train(run, Gemms.Kind.AUTO, events, () -> stepsIn(events) == 3);
        assertThat(hellaSwags(events)).isEmpty();

        List<TrainingEvent> rest = new ArrayList<>();
        train(run, Gemms.Kind.AUTO, rest, () -> stepsIn(rest) == 1); // a checkpoint after it
        train(run, Gemms.Kind.AUTO, rest, () -> false);
        assertThat(hellaSwags(rest)).extracting(TrainingEvent::step).containsExactly(3);
        assertThat(rest).filteredOn(TrainingEvent.Step.class::isInstance).hasSize(2);
    }

    private static List<TrainingEvent> hellaSwags(List<TrainingEvent> events) {
        return events.stream().filter(TrainingEvent.HellaSwag.class::isInstance).toList();
    }

    @Test
    void aCheckpointThatIsAskedForIsWrittenAfterTheStepAndChangesNoLoss() throws Exception {
        String[] sets = {"train.steps=4", "checkpoint.everySteps=0"};
        List<TrainingEvent> undisturbed = new ArrayList<>();
        train(fixture.run("undisturbed", sets), Gemms.Kind.AUTO, undisturbed, () -> false);

        List<TrainingEvent> events = new ArrayList<>();
        TrainingRun.Requests once = new TrainingRun.Requests() {
            private boolean asked;

            @Override
            public boolean stop() {
                return false;
            }

            @Override
            public boolean takeCheckpoint() {
                boolean now = !asked && stepsIn(events) == 1;
                asked |= now;
                return now;
            }
        };
        train(fixture.run("asked", sets), Gemms.Kind.AUTO, events, once);
        assertThat(events.stream()
                        .filter(TrainingEvent.Checkpointed.class::isInstance)
                        .map(TrainingEvent::step))
                .containsExactly(2, 4);
        assertThat(losses(events)).isEqualTo(losses(undisturbed));
    }

    @Test
    void aRunGoesOnBeyondItsStepsAtTheEndOfItsScheduleAndEndsEarlierThanPlanned() throws Exception {
        String[] sets = {"train.steps=3", "checkpoint.everySteps=0", "schedule.warmupSteps=0", "schedule.decaySteps=0"};
        Path run = fixture.run("extended", sets);
        List<TrainingEvent> events = new ArrayList<>();
        train(run, Gemms.Kind.AUTO, events, () -> false);
        SignsOfLife untimed = new SignsOfLife(events::add, () -> 0);
        train(run, Gemms.Kind.AUTO, untimed, new SoloCollectives(), () -> false, 5);

        List<Double> rates = events.stream()
                .filter(TrainingEvent.Step.class::isInstance)
                .map(e -> ((TrainingEvent.Step) e).learningRate())
                .toList();
        double floor = rates.getLast();
        assertThat(rates).hasSize(5);
        assertThat(rates.subList(3, 5)).containsOnly(floor);
        assertThat(rates.getFirst()).isGreaterThan(floor);
        assertThat(events.getLast().step()).isEqualTo(5);

        // cut off at step 1 and then said to be the end
        Path shorter = fixture.run("shorter", sets);
        List<TrainingEvent> few = new ArrayList<>();
        train(shorter, Gemms.Kind.AUTO, few, () -> stepsIn(few) == 1);
        SignsOfLife rest = new SignsOfLife(few::add, () -> 0);
        assertThat(train(shorter, Gemms.Kind.AUTO, rest, new SoloCollectives(), () -> false, 1))
                .isEqualTo(TrainingRun.End.FINISHED);
        assertThat(stepsIn(few)).isEqualTo(1);
        assertThat(few).anyMatch(e -> e instanceof TrainingEvent.Validated && e.step() == 1);
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
                            .isEqualTo(Samples.write(model, spec, 2, written -> {})));
        }
    }

    @Test
    void aModelWhoseWindowsGrowGoesOnWithTheOnesThatItHad() throws Exception {
        String[] sets = {
            "train.steps=60",
            "evaluation.everySteps=20",
            "checkpoint.everySteps=20",
            "checkpoint.keepLast=9",
            "sample.everySteps=20",
            "sample.tokens=200",
            "model.norm=rms_norm",
            "model.tiedHead=false",
            "model.attention={positions: rotary, window: 12, windowStart: 2}",
            "model.stream={embedding: true, skips: true}",
            "optimizer={type: muon, learningRate: 0.02}"
        };
        List<TrainingEvent> undisturbed = new ArrayList<>();
        train(fixture.run("undisturbed", sets), Gemms.Kind.AUTO, undisturbed, () -> false);

        Path run = fixture.run("stopped", sets);
        List<TrainingEvent> events = new ArrayList<>();
        train(run, Gemms.Kind.AUTO, events, () -> stepsIn(events) == 33);
        train(run, Gemms.Kind.AUTO, events, () -> false);
        assertThat(losses(events)).isEqualTo(losses(undisturbed));

        Engine lane =
                new Engine(Engine.Kind.CPU, 1, Precision.FP32, Gemms.Kind.AUTO, Path.of("target", "native-cache"));
        try (TextModel model = TextModel.open(run.resolve("checkpoints/step-000020"), lane)) {
            assertThat(events.stream().filter(e -> e instanceof TrainingEvent.Sampled && e.step() == 20))
                    .singleElement()
                    .satisfies(e -> assertThat(((TrainingEvent.Sampled) e).text())
                            .isEqualTo(Samples.write(
                                    model, SpecLoader.read(run.resolve("preset.yaml")), 20, written -> {})));
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
    void allThatTakesLongTellsHowFarItIs() throws Exception {
        Path run = fixture.run(
                "slow", "train.steps=2", "evaluation.everySteps=1", "sample.everySteps=1", "sample.tokens=3");
        List<TrainingEvent> events = new ArrayList<>();
        AtomicLong nanos = new AtomicLong();
        SignsOfLife signs =
                new SignsOfLife(events::add, () -> nanos.addAndGet(3_000_000_000L)); // every look takes long
        train(run, Gemms.Kind.AUTO, signs, new SoloCollectives(), () -> false);

        List<String> first = events.stream()
                .filter(e -> e instanceof Working && e.step() <= 1)
                .map(e -> ((Working) e).inWords())
                .toList();
        assertThat(first)
                .containsSubsequence(
                        "validating 40%",
                        "validating 100%",
                        "step 1: micro-step 1 of 2",
                        "step 1: micro-step 2 of 2",
                        "validating 40%",
                        "sampling 33%",
                        "sampling 66%",
                        "sampling 100%",
                        "step 2: micro-step 1 of 2");
        assertThat(events.stream().filter(TrainingRunTest::isOfACheckpoint).map(e -> ((Working) e).inWords()))
                .hasSizeGreaterThan(10)
                .last()
                .isEqualTo("writing a checkpoint, 100%");
    }

    @Test
    void ranksWaitForOneThatWritesForLongerThanTheyBearSilence() throws Exception {
        Path run = fixture.run(
                "waiting",
                "train.steps=2",
                "train.ranks=2",
                "train.threads=1",
                "evaluation.everySteps=0",
                "sample.everySteps=1",
                "sample.tokens=12");
        List<TrainingEvent> events = new CopyOnWriteArrayList<>();
        AtomicLong nanos = new AtomicLong();
        SignsOfLife slow = new SignsOfLife(
                event -> {
                    events.add(event);
                    if (event instanceof Working working && working.phase() == Phase.SAMPLING) {
                        pause(250); // twelve tokens: twice as long as a rank may be silent
                    }
                },
                () -> nanos.addAndGet(3_000_000_000L));
        Rendezvous rendezvous = Rendezvous.parse("file:" + run.resolve("rendezvous"));
        CompletableFuture<TrainingRun.End> other =
                CompletableFuture.supplyAsync(() -> train(run, rank(1, rendezvous), new SignsOfLife(e -> {}, () -> 0)));
        assertThat(train(run, rank(0, rendezvous), slow)).isEqualTo(TrainingRun.End.FINISHED);
        assertThat(other.join()).isEqualTo(TrainingRun.End.FINISHED);
        assertThat(events).filteredOn(TrainingEvent.Sampled.class::isInstance).hasSize(1);
    }

    private static Group rank(int rank, Rendezvous rendezvous) {
        Duration silence = Duration.ofMillis(1500);
        return new Group(rank, 2, "spec", "a secret of this test", rendezvous, Duration.ofSeconds(30), silence);
    }

    private TrainingRun.End train(Path run, Group group, SignsOfLife signs) {
        try (Collectives ranks = SocketCollectives.join(group)) {
            return train(run, Gemms.Kind.AUTO, signs, ranks, () -> false);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static boolean isOfACheckpoint(TrainingEvent event) {
        return event instanceof Working working && working.phase() == Phase.CHECKPOINT;
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

    private TrainingRun.End train(Path run, Gemms.Kind products, List<TrainingEvent> events, TrainingRun.Requests stop)
            throws IOException {
        SignsOfLife untimed = new SignsOfLife(events::add, () -> 0);
        return train(run, products, untimed, new SoloCollectives(), stop);
    }

    private TrainingRun.End train(
            Path run, Gemms.Kind products, SignsOfLife signs, Collectives ranks, TrainingRun.Requests stop)
            throws IOException {
        return train(run, products, signs, ranks, stop, 0);
    }

    /** @param lastStep 0 for the spec's */
    private TrainingRun.End train(
            Path run,
            Gemms.Kind products,
            SignsOfLife signs,
            Collectives ranks,
            TrainingRun.Requests stop,
            int lastStep)
            throws IOException {
        RunSpec read = SpecLoader.read(run.resolve("preset.yaml"));
        // as its text is of characters, no spec could ask for HellaSwag
        RunSpec spec =
                examples == null ? read : read.withHellaSwag(new HellaSwagSpec(EXAMPLES, 3, "file:examples.jsonl", ""));
        Engine engine = new Engine(Engine.Kind.CPU, 2, Precision.FP32, products, Path.of("target", "native-cache"));
        try (Dataset dataset = Dataset.open(fixture.data(), spec);
                Replica replica = engine.open(
                        spec.model(), spec.sequencesAtOnce(), spec.model().sequenceLength(), true)) {
            Fence fence = ranks.rank() == 0 ? Fence.acquire(run, Duration.ofSeconds(5), notice -> {}) : null;
            CheckpointStore store = new CheckpointStore(run.resolve("checkpoints"), notice -> {});
            RunCheckpoints checkpoints =
                    new RunCheckpoints(spec, dataset.manifest(), store, fence, () -> {}, null, ranks, weights);
            int last = lastStep == 0 ? spec.train().steps() : lastStep;
            Optional<HellaSwag> hellaSwag = examples == null
                    ? Optional.empty()
                    : Optional.of(HellaSwag.read(
                            examples,
                            EXAMPLES,
                            dataset.manifest().tokens(),
                            spec.model().sequenceLength()));
            return new TrainingRun(spec, dataset, replica, ranks, checkpoints, signs, stop, last, hellaSwag).run();
        }
    }
}
