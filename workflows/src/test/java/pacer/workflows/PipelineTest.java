package pacer.workflows;

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
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pacer.activities.run.Home;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunRecord;
import pacer.activities.run.RunStatus;
import pacer.activities.run.RunUpdate;
import pacer.activities.run.Stage;
import pacer.activities.run.StageRecord;
import pacer.activities.run.TestRuns;
import pacer.activities.training.TrainingSettings;
import pacer.trainer.durable.DurableFiles;
import pacer.trainer.event.TrainingEvent;
import pacer.trainer.spec.SpecException;
import pacer.trainer.spec.SpecLoader;

/** The whole pipeline on the service inside this process, with real child processes. */
@Timeout(90)
class PipelineTest {
    @TempDir
    private Path folder;

    private final List<RunUpdate> updates = new ArrayList<>();
    private Home home;
    private Path text;

    @BeforeEach
    void prepare() throws IOException {
        home = TestRuns.home(folder);
        text = TestRuns.text(folder.resolve("text.txt"), 20);
    }

    private RunHandle start(Pipeline pipeline, String... sets) throws IOException {
        return pipeline.start(TestPipelines.layers(text, sets), "a test", null, false);
    }

    private List<Stage> stages(Class<? extends RunUpdate> kind) {
        return updates.stream()
                .filter(kind::isInstance)
                .map(update -> update instanceof RunUpdate.StageStarted started
                        ? started.stage()
                        : ((RunUpdate.StageEnded) update).record().stage())
                .toList();
    }

    @Test
    void goesFromTextToVerdict() throws Exception {
        try (Pipeline pipeline = TestPipelines.embedded(home)) {
            assertThat(pipeline.announcement()).isEqualTo("Temporal: in this process");
            RunHandle run = start(pipeline);
            assertThat(run.resumed()).isFalse();

            PipelineOutcome outcome = run.follow(updates::add);

            assertThat(outcome.status()).isEqualTo(RunStatus.FINISHED);
            assertThat(outcome.result().verdict().passed()).isTrue();
            assertThat(outcome.result().training().steps()).isEqualTo(30);
            assertThat(outcome.result().evaluation().checkpoint()).isEqualTo("checkpoints/step-000030");

            RunRecord record = run.folder().orElseThrow().read();
            assertThat(record.status()).isEqualTo(RunStatus.FINISHED);
            assertThat(record.note()).isEqualTo("a test");
            assertThat(record.stages()).hasSize(5).allMatch(s -> s.status() == StageRecord.Status.DONE);
            assertThat(record.verdict()).isEqualTo(outcome.result().verdict());
            assertThat(run.folder().orElseThrow().report()).exists();
            assertThat(run.folder().orElseThrow().metrics()).exists();
        }
        assertThat(updates.getFirst()).isInstanceOf(RunUpdate.Opened.class);
        assertThat(stages(RunUpdate.StageStarted.class)).containsExactly(Stage.values());
        assertThat(stages(RunUpdate.StageEnded.class)).containsExactly(Stage.values());
        assertThat(updates)
                .filteredOn(u -> u instanceof RunUpdate.Trained(TrainingEvent.Step _))
                .hasSize(30);
    }

    @Test
    void aTrainerThatCrashesIsStartedAgainFromItsCheckpoint() throws Exception {
        try (Pipeline pipeline = TestPipelines.embedded(home, "mishap=crash", "at=15")) {
            RunHandle run = start(pipeline);
            assertThat(run.result().status()).isEqualTo(RunStatus.FINISHED);

            StageRecord training =
                    run.folder().orElseThrow().read().stage(Stage.TRAIN).orElseThrow();
            assertThat(training.attempts()).isEqualTo(2);
        }
    }

    @Test
    void aCopyThatWasDamagedMeanwhileIsStagedAgain() throws Exception {
        RunRecord record = trainThroughDamage(shard -> {
            byte[] bytes = flipped(shard);
            Files.delete(shard); // a copy of its own, as on another disk
            Files.write(shard, bytes);
        });
        assertThat(attempts(record, Stage.DATASET)).isEqualTo(1);
        assertThat(attempts(record, Stage.STAGE)).isEqualTo(2);
        assertThat(attempts(record, Stage.TRAIN))
                .as("crashed, found the damage, finished")
                .isEqualTo(3);
    }

    @Test
    void aDatasetThatWasDamagedMeanwhileIsMadeAgain() throws Exception {
        RunRecord record =
                trainThroughDamage(shard -> Files.write(shard, flipped(shard))); // both names are of one file
        assertThat(attempts(record, Stage.DATASET)).isEqualTo(2);
        assertThat(attempts(record, Stage.STAGE))
                .as("found that mending is not up to it")
                .isEqualTo(3);
        assertThat(attempts(record, Stage.TRAIN)).isEqualTo(3);
    }

    @ParameterizedTest
    @CsvSource({"checkpoint, 2, 2", "shard, 2, 1"})
    void whatTheEvaluationFindsDamagedIsMendedAndTheRunFinishes(String what, int stagings, int trainings)
            throws Exception {
        try (Pipeline pipeline = TestPipelines.embedded(home, "damage=" + what)) {
            PipelineOutcome outcome = start(pipeline).result();
            assertThat(outcome.status()).as(outcome.reason()).isEqualTo(RunStatus.FINISHED);
            RunRecord record = home.run(outcome.run()).read();
            assertThat(attempts(record, Stage.STAGE)).isEqualTo(stagings);
            assertThat(attempts(record, Stage.TRAIN)).isEqualTo(trainings);
            assertThat(attempts(record, Stage.EVALUATE)).isEqualTo(2);
        }
    }

    @Test
    void dataThatIsDamagedTimeAndAgainEndsTheRun() throws Exception {
        WorkerSettings patient = patient(TestPipelines.settings(home, "mishap=hold", "at=15", "always=true"));
        try (Pipeline pipeline = Pipeline.open(home, TemporalAddress.embedded(), patient)) {
            PipelineOutcome outcome = trainThroughDamage(pipeline, shard -> Files.write(shard, flipped(shard)));
            assertThat(outcome.status()).isEqualTo(RunStatus.FAILED);
            assertThat(outcome.reason()).contains("damaged", "resuming it", "check the disk");
            assertThat(attempts(home.run(outcome.run()).read(), Stage.DATASET)).isEqualTo(3);
        }
    }

    @Test
    void dataThatIsEvictedTimeAndAgainIsBroughtBackEachTime() throws Exception {
        WorkerSettings patient = patient(TestPipelines.settings(home, "mishap=hold", "at=15", "always=true"));
        try (Pipeline pipeline = Pipeline.open(home, TemporalAddress.embedded(), patient)) {
            RunHandle run = start(pipeline);
            AtomicInteger times = new AtomicInteger();
            PipelineOutcome outcome = run.follow(update -> {
                if (update instanceof RunUpdate.Trained(TrainingEvent.Step step) && step.step() == 14) {
                    if (times.incrementAndGet() > 6) {
                        run.stop();
                        return;
                    }
                    evict();
                    letGo(run);
                }
            });
            assertThat(outcome.status()).as(outcome.reason()).isEqualTo(RunStatus.STOPPED);
            assertThat(attempts(home.run(run.id()).read(), Stage.TRAIN)).isGreaterThan(6);
        }
    }

    /** As the cache's limit would: the dataset, and what is staged of it. */
    private void evict() {
        try {
            DurableFiles.deleteTree(home.datasets());
            DurableFiles.deleteTree(home.staged());
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Settings that do not give training up for want of progress. */
    private static WorkerSettings patient(WorkerSettings usual) {
        TrainingSettings training = usual.training();
        return usual.with(new TrainingSettings(
                training.java(),
                training.trainer(),
                training.grace(),
                training.planning(),
                training.stall(),
                100,
                Optional.empty()));
    }

    private interface Damage {
        void to(Path shard) throws IOException;
    }

    private RunRecord trainThroughDamage(Damage damage) throws Exception {
        try (Pipeline pipeline = TestPipelines.embedded(home, "mishap=hold", "at=15")) {
            PipelineOutcome outcome = trainThroughDamage(pipeline, damage);
            assertThat(outcome.status()).as(outcome.reason()).isEqualTo(RunStatus.FINISHED);
            return home.run(outcome.run()).read();
        }
    }

    /** Has a shard damaged before the trainer crashes, each time it does. */
    private PipelineOutcome trainThroughDamage(Pipeline pipeline, Damage damage) throws Exception {
        RunHandle run = start(pipeline);
        return run.follow(update -> {
            if (update instanceof RunUpdate.Trained(TrainingEvent.Step step) && step.step() == 14) {
                damage(damage);
                letGo(run);
            }
        });
    }

    private void damage(Damage damage) {
        try (Stream<Path> staged = Files.list(home.staged())) {
            damage.to(staged.filter(file -> file.toString().endsWith(".bin"))
                    .findFirst()
                    .orElseThrow());
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static byte[] flipped(Path shard) throws IOException {
        byte[] bytes = Files.readAllBytes(shard);
        bytes[bytes.length - 1] ^= 1;
        return bytes;
    }

    private static int attempts(RunRecord record, Stage stage) {
        return record.stage(stage).orElseThrow().attempts();
    }

    @Test
    void aRefusalEndsTheRunWithItsReason() throws Exception {
        try (Pipeline pipeline = TestPipelines.embedded(home, "refuse=true")) {
            RunHandle run = start(pipeline);
            PipelineOutcome outcome = run.result();

            assertThat(outcome.status()).isEqualTo(RunStatus.FAILED);
            assertThat(outcome.refused()).isTrue();
            assertThat(outcome.reason())
                    .isEqualTo(
                            "trainer rank 0 refused its input after step 0: model.width: must be a multiple of heads");
            RunRecord record = run.folder().orElseThrow().read();
            assertThat(record.status()).isEqualTo(RunStatus.FAILED);
            assertThat(record.failure()).isEqualTo(outcome.reason());
        }
    }

    @Test
    void aRelativeFileIsKeptWithItsWholePath() throws Exception {
        Path spaced = Files.copy(text, folder.resolve("it's a text.txt"));
        Path relative = Path.of("").toAbsolutePath().relativize(spaced);
        try (Pipeline pipeline = TestPipelines.embedded(home, "refuse=true")) {
            RunHandle first = start(pipeline, "dataset.url=\"file:" + relative + "\"");
            assertThat(first.result().status()).isEqualTo(RunStatus.FAILED);
            assertThat(SpecLoader.read(home.run(first.id()).preset()).dataset().url())
                    .isEqualTo("file:" + spaced);

            RunHandle again = start(pipeline, "dataset.url=\"file:" + relative + "\"");
            assertThat(again.id()).as("it is found again").isEqualTo(first.id());
            again.result();
        }
    }

    @Test
    void badInputEndsTheRunAtOnce() throws Exception {
        Files.delete(text);
        try (Pipeline pipeline = TestPipelines.embedded(home)) {
            PipelineOutcome outcome = start(pipeline).follow(updates::add);
            assertThat(outcome.status()).isEqualTo(RunStatus.FAILED);
            assertThat(outcome.refused()).isTrue();
            assertThat(updates.getLast())
                    .isInstanceOfSatisfying(RunUpdate.Closed.class, closed -> assertThat(closed.refused())
                            .isTrue());
            assertThat(outcome.reason()).isEqualTo("dataset.url: " + text + " does not exist; give the path of a text");
        }
    }

    @Test
    void aFinishedRunStaysFinishedWhereItsRecordCannotBeClosedForAWhile() throws Exception {
        try (Pipeline pipeline = TestPipelines.embedded(home)) {
            RunHandle run = start(pipeline);
            Path record = home.run(run.id()).recordFile();
            Path away = record.resolveSibling("away");
            AtomicInteger failures = new AtomicInteger();
            PipelineOutcome outcome = run.follow(update -> {
                if (update instanceof RunUpdate.StageEnded(StageRecord ended) && ended.stage() == Stage.PUBLISH) {
                    move(record, away);
                }
                if (update instanceof RunUpdate.Notice notice
                        && notice.text().startsWith("finished and published, but the run's record was not closed")
                        && failures.incrementAndGet() == 5) { // the usual attempts are four
                    move(away, record);
                }
            });
            assertThat(outcome.status()).as(outcome.reason()).isEqualTo(RunStatus.FINISHED);
            assertThat(home.run(run.id()).read().status()).isEqualTo(RunStatus.FINISHED);
            assertThat(failures).hasValue(5);
        }
    }

    private static void move(Path from, Path to) {
        try {
            Files.move(from, to);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void anAttemptThatFailsIsToldWithWhatComesNextAndIsNoEnd() throws Exception {
        try (Pipeline pipeline = TestPipelines.embedded(home, "mishap=fail", "at=15", "always=true")) {
            start(pipeline).follow(updates::add);
        }
        String failure = "trainer rank 0 failed after step 15: loss is not finite";
        assertThat(updates)
                .filteredOn(RunUpdate.Notice.class::isInstance)
                .containsExactly(
                        new RunUpdate.Notice(
                                Stage.TRAIN, "train did not succeed: " + failure + "; trying again in 1 s"),
                        new RunUpdate.Notice(
                                Stage.TRAIN, "train did not succeed: " + failure + "; trying again in 1 s"));
        assertThat(stages(RunUpdate.StageEnded.class)).containsExactly(Stage.DATASET, Stage.STAGE, Stage.TRAIN);
        assertThat(updates.getLast()).isInstanceOf(RunUpdate.Closed.class);
        assertThat(updates)
                .filteredOn(RunUpdate.StageEnded.class::isInstance)
                .last()
                .extracting(update -> ((RunUpdate.StageEnded) update).record().summary())
                .isEqualTo("2 attempts in a row got no further than step 10; the last: " + failure);
    }

    @Test
    void aCacheThatCannotBeWrittenEndsTheRunAtOnce() throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "");
        Home broken = new Home(home.runs(), file.resolve("cache"));
        try (Pipeline pipeline = TestPipelines.embedded(broken)) {
            PipelineOutcome outcome = start(pipeline).follow(updates::add);
            assertThat(outcome.status()).isEqualTo(RunStatus.FAILED);
            assertThat(outcome.reason()).startsWith("not a directory: " + file);
        }
        assertThat(updates).noneMatch(RunUpdate.Notice.class::isInstance);
        assertThat(stages(RunUpdate.StageEnded.class)).containsExactly(Stage.DATASET);
    }

    @Test
    void aStageWhoseRecordCannotBeReadIsToldOfAndEnds() throws Exception {
        try (Pipeline pipeline = TestPipelines.embedded(home, "mishap=wait", "at=15")) {
            RunHandle run = start(pipeline);
            PipelineOutcome outcome = run.follow(update -> {
                updates.add(update);
                if (update instanceof RunUpdate.Trained(TrainingEvent.Step step) && step.step() == 14) {
                    breakRecord(home.run(run.id()));
                    letGo(run);
                }
            });
            assertThat(outcome.status()).isEqualTo(RunStatus.FAILED);
            assertThat(outcome.reason())
                    .startsWith("2 attempts in a row failed outside the trainer and got no further; the last: ");
        }
        assertThat(updates)
                .filteredOn(RunUpdate.Notice.class::isInstance)
                .extracting(update -> ((RunUpdate.Notice) update).text())
                .anySatisfy(text -> assertThat(text)
                        .startsWith("train did not succeed: ")
                        .contains("run.json")
                        .endsWith("; trying again in 1 s"));
    }

    private static void breakRecord(RunFolder run) {
        try {
            Files.writeString(run.recordFile(), "{");
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void wrongSettingsStartNothing() throws Exception {
        try (Pipeline pipeline = TestPipelines.embedded(home)) {
            assertThatThrownBy(() -> start(pipeline, "modl.layers=3")).isInstanceOf(SpecException.class);
            assertThatThrownBy(() -> SpecLayers.load("quikstart", List.of(), List.of()))
                    .isInstanceOf(SpecException.class);
        }
        assertThat(home.runs()).doesNotExist();
    }

    @Test
    void stoppedItLeavesACheckpointFromWhichTheSameCommandGoesOn() throws Exception {
        String id;
        try (Pipeline pipeline = TestPipelines.embedded(home, "mishap=wait", "at=15")) {
            RunHandle run = start(pipeline);
            id = run.id();
            PipelineOutcome outcome = run.follow(update -> {
                if (update instanceof RunUpdate.Trained(TrainingEvent.Step step) && step.step() == 14) {
                    run.stop();
                }
            });
            assertThat(outcome.status()).isEqualTo(RunStatus.STOPPED);
            assertThat(home.run(id).read().status()).isEqualTo(RunStatus.STOPPED);
            assertThat(home.run(id).read().stage(Stage.TRAIN).orElseThrow().status())
                    .isEqualTo(StageRecord.Status.STOPPED);
            assertThat(home.run(id).checkpoints().resolve("step-000015/manifest.json"))
                    .exists();
        }
        try (Pipeline pipeline = TestPipelines.embedded(home)) {
            RunHandle run = start(pipeline);
            assertThat(run.resumed()).isTrue();
            assertThat(run.id()).isEqualTo(id);
            assertThat(run.follow(updates::add).status()).isEqualTo(RunStatus.FINISHED);
        }
        assertThat(updates)
                .filteredOn(u -> u instanceof RunUpdate.Trained(TrainingEvent.Started _))
                .singleElement()
                .satisfies(
                        u -> assertThat(((RunUpdate.Trained) u).event().step()).isEqualTo(15));
        assertThat(home.run(id).read().stage(Stage.DATASET).orElseThrow().reused())
                .isTrue();
    }

    @Test
    void aTrainerThatTakesLongerToStopThanAHeartbeatMayIsStoppedAllTheSame() throws Exception {
        WorkerSettings usual =
                TestPipelines.settings(home, new Policies(Duration.ofSeconds(2)), "mishap=hang", "at=15");
        WorkerSettings settings = usual.with(new TrainingSettings(
                usual.training().java(),
                usual.training().trainer(),
                Duration.ofSeconds(6),
                usual.training().planning(),
                usual.training().stall(),
                2,
                Optional.empty()));
        try (Pipeline pipeline = Pipeline.open(home, TemporalAddress.embedded(), settings)) {
            RunHandle run = start(pipeline);
            PipelineOutcome outcome = run.follow(update -> {
                if (update instanceof RunUpdate.Trained(TrainingEvent.Step step) && step.step() == 14) {
                    run.stop();
                }
            });
            assertThat(outcome.status()).isEqualTo(RunStatus.STOPPED);
            assertThat(home.run(run.id())
                            .read()
                            .stage(Stage.TRAIN)
                            .orElseThrow()
                            .attempts())
                    .isEqualTo(1);
        }
    }

    @Test
    void aFinishedRunIsNotGoneOnWithAndFreshMeansNew() throws Exception {
        try (Pipeline pipeline = TestPipelines.embedded(home)) {
            RunHandle first = start(pipeline);
            first.result();
            RunHandle second = start(pipeline);
            assertThat(second.id()).isNotEqualTo(first.id());
            assertThat(second.resumed()).isFalse();
            PipelineOutcome outcome = second.result();
            assertThat(outcome.result().dataset().reused())
                    .as("the dataset is shared")
                    .isTrue();
        }
    }

    @Test
    void aRunInProgressIsNotTakenByASecondStart() throws Exception {
        try (Pipeline pipeline = TestPipelines.embedded(home, "mishap=wait", "at=15");
                Pipeline other = TestPipelines.embedded(home)) {
            RunHandle first = start(pipeline);
            RunHandle[] second = new RunHandle[1];
            PipelineOutcome outcome = first.follow(update -> {
                if (second[0] == null
                        && update instanceof RunUpdate.Trained(TrainingEvent.Step step)
                        && step.step() == 14) {
                    second[0] = startOther(other, first.id());
                    first.stop();
                }
            });
            assertThat(outcome.status()).isEqualTo(RunStatus.STOPPED);
            assertThat(second[0].result().status()).isEqualTo(RunStatus.FINISHED);
            assertThat(second[0].id()).isNotEqualTo(first.id());
        }
    }

    private RunHandle startOther(Pipeline other, String busy) {
        try {
            assertThatThrownBy(() -> other.resume(busy, null, null))
                    .hasMessage("run " + busy + " is being worked on by another process");
            return start(other);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void resumeGoesOnWithARunByItsName() throws Exception {
        String id;
        try (Pipeline pipeline = TestPipelines.embedded(home, "mishap=fail", "at=15", "always=true")) {
            RunHandle run = start(pipeline);
            id = run.id();
            PipelineOutcome outcome = run.result();
            assertThat(outcome.status()).isEqualTo(RunStatus.FAILED);
            assertThat(outcome.refused()).isFalse();
            assertThat(outcome.reason()).startsWith("2 attempts in a row got no further than step 10; the last: ");
        }
        try (Pipeline pipeline = TestPipelines.embedded(home)) {
            RunHandle run = pipeline.resume("last", null, null);
            assertThat(run.id()).isEqualTo(id);
            assertThat(run.result().status()).isEqualTo(RunStatus.FINISHED);
        }
    }

    @Test
    void onlyOneTrainingAtATime() throws Exception {
        try (Pipeline pipeline = TestPipelines.embedded(home, "mishap=wait", "at=15")) {
            RunHandle one = start(pipeline);
            RunHandle two = start(pipeline, "seed=2");
            Thread other = Thread.ofPlatform().start(() -> followToTheEnd(one, two));
            followToTheEnd(two, one);
            other.join();
            assertThat(waited)
                    .as("the first to train, while the other had not begun")
                    .contains(true);
        }
    }

    private final List<Boolean> waited = new CopyOnWriteArrayList<>();

    /** Lets a run's trainer, which waits at step 15, go on, after a look at whether the other's has begun. */
    private void followToTheEnd(RunHandle run, RunHandle other) {
        try {
            PipelineOutcome outcome = run.follow(update -> {
                if (update instanceof RunUpdate.Trained(TrainingEvent.Step step) && step.step() == 14) {
                    waited.add(!Files.exists(home.run(other.id()).events()));
                    letGo(run);
                }
            });
            assertThat(outcome.status()).isEqualTo(RunStatus.FINISHED);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private void letGo(RunHandle run) {
        try {
            Files.writeString(home.run(run.id()).path().resolve("go"), "");
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
