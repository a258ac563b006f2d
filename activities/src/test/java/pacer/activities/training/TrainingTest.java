package pacer.activities.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.tuple;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.dataset.DatasetRequest;
import pacer.activities.dataset.DatasetResult;
import pacer.activities.dataset.Datasets;
import pacer.activities.dataset.FetchSettings;
import pacer.activities.process.Child;
import pacer.activities.process.JavaCommand;
import pacer.activities.run.BadInputException;
import pacer.activities.run.DamagedDataException;
import pacer.activities.run.Environment;
import pacer.activities.run.Home;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunHub;
import pacer.activities.run.RunPlan;
import pacer.activities.run.RunUpdate;
import pacer.activities.run.Stage;
import pacer.activities.run.StageContext;
import pacer.activities.run.StageFailure;
import pacer.activities.run.StageLog;
import pacer.activities.run.StageRecord;
import pacer.activities.run.StoppedException;
import pacer.activities.run.TestRuns;
import pacer.activities.run.TestStage;
import pacer.activities.run.TrainedOn;
import pacer.activities.staging.Staging;
import pacer.activities.staging.StagingRequest;
import pacer.trainer.checkpoint.CheckpointStore;
import pacer.trainer.checkpoint.EventLog;
import pacer.trainer.checkpoint.Fence;
import pacer.trainer.durable.ProcessIdentity;
import pacer.trainer.event.TrainingEvent;
import pacer.trainer.spec.SpecLoader;

@Timeout(60)
class TrainingTest {
    @TempDir
    private Path folder;

    private final RunHub hub = new RunHub();
    private final TestStage stage = new TestStage();
    private Environment machine = TestRuns.MACHINE;
    private Home home;
    private StageLog log;
    private String dataset;
    private RunPlan plan;

    @BeforeEach
    void prepare() throws Exception {
        home = TestRuns.home(folder);
        log = new StageLog(home, hub, Clock.systemUTC());
        plan(List.of());
    }

    private void plan(List<Object> more) throws Exception {
        Path text = TestRuns.text(folder.resolve("text.txt"), 20);
        plan = TestRuns.open(home, hub, text, more.toArray());
        DatasetResult prepared = new Datasets(home, log, Clock.systemUTC(), FetchSettings.of(Map.of()))
                .prepare(new DatasetRequest(plan.run(), plan.dataset()), stage);
        dataset = prepared.hash();
        new Staging(home, log, Clock.systemUTC()).stage(new StagingRequest(plan.run(), dataset), stage);
    }

    private Training training(String... properties) {
        return training(Duration.ofSeconds(30), properties);
    }

    private Training training(Duration stall, String... properties) {
        return new Training(home, log, hub, Clock.systemUTC(), () -> machine, settings(stall, properties));
    }

    private TrainingSettings settings(Duration stall, String... properties) {
        return new TrainingSettings(
                java(properties),
                ProtocolTrainer.class.getName(),
                Duration.ofSeconds(20),
                Duration.ofSeconds(30),
                stall,
                3,
                Optional.empty());
    }

    static JavaCommand java(String... properties) {
        List<String> java = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC"));
        for (String property : properties) {
            java.add("-D" + property);
        }
        java.addAll(List.of("-cp", System.getProperty("java.class.path")));
        return new JavaCommand(java);
    }

    private TrainingResult train(Training training) throws IOException, InterruptedException {
        return training.train(new TrainingRequest(plan.run(), dataset), "owner-1", stage);
    }

    private RunFolder run() {
        return home.run(plan.run());
    }

    private StageRecord record() throws IOException {
        return run().read().stage(Stage.TRAIN).orElseThrow();
    }

    @Test
    void trainsInAProcessOfItsOwnAndTellsItsEvents() throws Exception {
        List<RunUpdate> updates = new ArrayList<>();
        try (RunHub.Subscription _ = hub.follow(plan.run(), updates::add)) {
            TrainingResult result = train(training());

            assertThat(result.steps()).isEqualTo(30);
            assertThat(result.loss()).isEqualTo(4.0 / 30 + 1);
            assertThat(result.validationLoss()).isEqualTo(4.0 / 30 + 1.1);
            assertThat(result.lastCheckpoint()).isEqualTo("checkpoints/step-000030");
        }
        assertThat(updates)
                .filteredOn(u -> u instanceof RunUpdate.Trained(TrainingEvent.Step _))
                .hasSize(30);
        assertThat(stage.progress).last().satisfies(p -> {
            assertThat(p.step()).isEqualTo(30);
            assertThat(p.totalSteps()).isEqualTo(30);
            assertThat(p.fraction()).isEqualTo(1);
        });
        assertThat(SpecLoader.read(run().preset()).model().vocabulary())
                .as("the dataset's vocabulary is in the resolved spec")
                .isPositive();
    }

    @Test
    void aFinishedTrainingIsNotDoneAgain() throws Exception {
        TrainingResult first = train(training());
        FileTime written = Files.getLastModifiedTime(run().events());

        assertThat(train(training("mishap=crash", "at=1", "always=true"))).isEqualTo(first);
        assertThat(record().reused()).isTrue();
        assertThat(record().attempts()).isEqualTo(1);
        assertThat(Files.getLastModifiedTime(run().events())).isEqualTo(written);
    }

    @Test
    void aTrainingWhoseBestCheckpointIsGoneIsNotTakenAsDone() throws Exception {
        TrainingResult first = train(training());
        StageRecord before = record();
        Path file = run().recordFile(); // as if an earlier one had been the best, and were gone now
        Files.writeString(
                file,
                Files.readString(file)
                        .replaceFirst("(\"bestCheckpoint\" : )\"[^\"]*\"", "$1\"checkpoints/step-000007\""));

        TrainingResult second = train(training());

        assertThat(second).isEqualTo(first);
        assertThat(record().attempts()).isEqualTo(before.attempts() + 1);
    }

    @Test
    void aDamagedLastCheckpointIsSetAsideAndTrainedAgain() throws Exception {
        TrainingResult first = train(training());
        damage("checkpoints/step-000030");

        assertThat(train(training())).isEqualTo(first);
        assertThat(run().checkpoints().resolve("step-000030.damaged")).isDirectory();
        assertThat(stage.notices).anyMatch(n -> n.startsWith("damaged checkpoint set aside as step-000030.damaged"));
        assertThat(EventLog.read(run().events(), damage -> {}))
                .filteredOn(TrainingEvent.Started.class::isInstance)
                .extracting(TrainingEvent::step)
                .containsExactly(0, 20);
    }

    @Test
    void aDamagedBestCheckpointIsSetAsideAndAnotherTaken() throws Exception {
        TrainingResult first = train(training());
        Path file = run().recordFile(); // as if an earlier one had been the best
        Files.writeString(
                file,
                Files.readString(file)
                        .replaceFirst("(\"bestCheckpoint\" : )\"[^\"]*\"", "$1\"checkpoints/step-000020\""));
        damage("checkpoints/step-000020");

        assertThat(train(training())).isEqualTo(first);
        assertThat(run().checkpoints().resolve("step-000020.damaged")).isDirectory();
    }

    private void damage(String checkpoint) throws IOException {
        Path weights = run().path().resolve(checkpoint).resolve("model.safetensors");
        byte[] bytes = Files.readAllBytes(weights);
        bytes[bytes.length - 1] ^= 1;
        Files.write(weights, bytes);
    }

    @Test
    void goesOnFromTheLastCheckpointAfterACrash() throws Exception {
        Training crashing = training("mishap=crash", "at=15");

        StageFailure failure = catchThrowableOfType(StageFailure.class, () -> train(crashing));
        assertThat(failure)
                .hasMessage(
                        "trainer rank 0 was killed by signal 9 (as the system does where memory runs out) after step 14: about to crash at step 15");
        assertThat(failure.retryable()).isTrue();
        assertThat(record().status()).isEqualTo(StageRecord.Status.FAILED);

        assertThat(train(crashing).steps()).isEqualTo(30);
        assertThat(record().attempts()).isEqualTo(2);
        assertThat(EventLog.read(run().events(), damage -> {}))
                .filteredOn(TrainingEvent.Started.class::isInstance)
                .extracting(TrainingEvent::step)
                .containsExactly(0, 10);
    }

    @Test
    void givesUpAfterSeveralFailuresAtOneCheckpoint() {
        Training crashing = training("mishap=fail", "at=15", "always=true");

        for (int attempt = 1; attempt <= 2; attempt++) {
            StageFailure failure = catchThrowableOfType(StageFailure.class, () -> train(crashing));
            assertThat(failure).hasMessage("trainer rank 0 failed after step 15: loss is not finite");
            assertThat(failure.retryable()).as("attempt " + attempt).isTrue();
            // after the first, which got to a checkpoint, and the first that did not
            assertThat(failure.pause()).contains(Duration.ofSeconds(1));
        }
        // the first attempt began at step 0, the next two at the checkpoint of step 10: one more makes three there
        StageFailure third = catchThrowableOfType(StageFailure.class, () -> train(crashing));
        assertThat(third.retryable()).isTrue();
        assertThat(third.pause()).contains(Duration.ofSeconds(2));
        StageFailure last = catchThrowableOfType(StageFailure.class, () -> train(crashing));
        assertThat(last)
                .hasMessage("3 attempts in a row got no further than step 10; the last:"
                        + " trainer rank 0 failed after step 15: loss is not finite");
        assertThat(last.retryable()).isFalse();
    }

    @Test
    void aTrainerThatCannotBeStartedCountsAsAnAttempt() throws Exception {
        Training gone = new Training(
                home,
                log,
                hub,
                Clock.systemUTC(),
                () -> machine,
                new TrainingSettings(
                        new JavaCommand(List.of(folder.resolve("no-java").toString())),
                        "Trainer",
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(1),
                        3,
                        Optional.empty()));
        for (int attempt = 1; attempt <= 2; attempt++) {
            StageFailure failure = catchThrowableOfType(StageFailure.class, () -> train(gone));
            assertThat(failure).hasMessageContaining("no-java does not start").hasMessageNotContaining("attempts");
            assertThat(failure.retryable()).isTrue();
        }
        StageFailure last = catchThrowableOfType(StageFailure.class, () -> train(gone));
        assertThat(last).hasMessageStartingWith("3 attempts in a row got no further than step 0; the last: ");
        assertThat(last.retryable()).isFalse();
        assertThat(new Attempts(run()).list()).hasSize(3).allMatch(a -> a.failure() != null);
    }

    @Test
    void whereAttemptsCannotBeWrittenDownTheyAreCountedAllTheSame() throws Exception {
        Files.createDirectory(run().path().resolve("attempts.json"));
        Training training = training();
        for (int attempt = 1; attempt <= 2; attempt++) {
            StageFailure failure = catchThrowableOfType(StageFailure.class, () -> train(training));
            assertThat(failure.retryable()).isTrue();
        }
        StageFailure last = catchThrowableOfType(StageFailure.class, () -> train(training));
        assertThat(last)
                .hasMessageStartingWith(
                        "3 attempts in a row failed outside the trainer and got no further; the last: ");
        assertThat(last.retryable()).isFalse();
    }

    @Test
    void suchFailuresOverTheLifeOfARunThatGetsFurtherDoNotAddUp() throws Exception {
        Path checkpoints = run().checkpoints();
        assertThat(train(training()).steps()).isEqualTo(30);
        Path aside = Files.move(checkpoints.resolve("step-000030"), folder.resolve("aside"));
        Path list = run().path().resolve("attempts.json");
        Files.delete(list);
        Files.createDirectory(list);
        Training training = training();
        for (int attempt = 1; attempt <= 2; attempt++) {
            assertThat(catchThrowableOfType(StageFailure.class, () -> train(training))
                            .retryable())
                    .isTrue();
        }
        Files.move(aside, checkpoints.resolve("step-000030"));
        Files.delete(run().path().resolve("run.json"));
        StageFailure later = catchThrowableOfType(StageFailure.class, () -> train(training));
        assertThat(later.retryable()).as("the third, but the first here").isTrue();
        assertThat(later.pause()).contains(Duration.ofSeconds(1));
    }

    @Test
    void whatNobodyThoughtOfIsTriedSomeTimesAndSaidByItsName() {
        Training training = new Training(
                home,
                log,
                hub,
                Clock.systemUTC(),
                () -> {
                    throw new IllegalStateException("no such luck");
                },
                settings(Duration.ofSeconds(30)));
        for (int attempt = 1; attempt <= 2; attempt++) {
            StageFailure failure = catchThrowableOfType(StageFailure.class, () -> train(training));
            assertThat(failure).hasMessage("IllegalStateException: no such luck");
            assertThat(failure.retryable()).isTrue();
        }
        StageFailure last = catchThrowableOfType(StageFailure.class, () -> train(training));
        assertThat(last.retryable()).isFalse();
        assertThat(last)
                .hasMessage(
                        "3 attempts in a row failed outside the trainer and got no further; the last: IllegalStateException: no such luck")
                .hasCauseInstanceOf(IllegalStateException.class);
    }

    @Test
    void aDamagedListOfAttemptsIsSetAside() throws Exception {
        Path file = run().path().resolve("attempts.json");
        for (String damage : List.of("{\"attempts\" : [ {", "{}", "")) {
            Files.writeString(file, damage);
            new Attempts(run()).setAsideIfDamaged(stage::notice);
            assertThat(file).doesNotExist();
            assertThat(stage.notices).last().asString().startsWith(file + ": damaged (");
        }
        Files.writeString(file, "{");
        assertThat(train(training()).steps()).isEqualTo(30);
    }

    @Test
    void refusedInputIsNotTriedAgain() {
        StageFailure failure = catchThrowableOfType(StageFailure.class, () -> train(training("refuse=true")));

        assertThat(failure.retryable()).isFalse();
        assertThat(failure.isRefusal()).isTrue();
        assertThat(failure)
                .hasMessageEndingWith("refused its input after step 0: model.width: must be a multiple of heads");
    }

    @Test
    void aVocabularyTooSmallForTheDatasetIsRefusedBeforeAProcessStarts() throws Exception {
        plan(List.of("model.vocabulary", 3));

        assertThatThrownBy(() -> train(training()))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("model.vocabulary");
        assertThat(run().events()).doesNotExist();
    }

    @Test
    void stopsWithACheckpointWhenAskedAndGoesOnFromIt() throws Exception {
        Training waiting = training("mishap=wait", "at=15");
        stopAtStep(14, StageContext.Stop.REQUESTED);

        assertThatThrownBy(() -> train(waiting))
                .isInstanceOf(StoppedException.class)
                .hasMessage("stopped: on request");
        assertThat(record().status()).isEqualTo(StageRecord.Status.STOPPED);
        assertThat(new CheckpointStore(run().checkpoints(), n -> {})
                        .newest()
                        .orElseThrow()
                        .state()
                        .step())
                .isEqualTo(15);

        stage.stop = StageContext.Stop.NONE;
        assertThat(train(waiting).steps()).isEqualTo(30);
    }

    @Test
    void anAbandonedAttemptIsKilledAtOnce() {
        stopAtStep(14, StageContext.Stop.ABANDONED);

        assertThatThrownBy(() -> train(training("mishap=hang", "at=15"))).isInstanceOf(StoppedException.class);
    }

    @Test
    void aTrainerThatIsNotHeardOfIsKilled() {
        StageFailure failure = catchThrowableOfType(
                StageFailure.class, () -> train(training(Duration.ofSeconds(1), "mishap=hang", "at=15")));

        assertThat(failure)
                .hasMessage("the trainer was killed after step 14: nothing heard of it for 1 s;"
                        + " where a micro-batch takes longer than that, lower train.microBatch");
        assertThat(failure.retryable()).isTrue();
    }

    @Test
    void onAHostThatIsUnfitATrainerIsKilledWithoutACheckpointAndNoneBegins() throws Exception {
        try (RunHub.Subscription _ = hub.follow(plan.run(), update -> {
            if (update instanceof RunUpdate.Trained(TrainingEvent.Step step) && step.step() == 14) {
                stage.unfit = "Xid 79 of GPU PCI:0000:3b:00: the GPU has fallen off the bus";
            }
        })) {
            long begun = System.nanoTime();
            StageFailure failure = catchThrowableOfType(
                    StageFailure.class, () -> train(training(Duration.ofSeconds(60), "mishap=hang", "at=15")));
            assertThat(Duration.ofNanos(System.nanoTime() - begun))
                    .as("it is not waited for until it is silent for too long")
                    .isLessThan(Duration.ofSeconds(45));
            assertThat(failure)
                    .hasMessageContainingAll(
                            " is drained, Xid 79 of GPU PCI:0000:3b:00: ",
                            "; the trainer was killed after step 14, and nothing is tried again",
                            "`pacer resume`");
            assertThat(failure.retryable()).isFalse();
            assertThat(new Attempts(run()).list()).singleElement().satisfies(attempt -> assertThat(attempt.failure())
                    .isEqualTo(failure.getMessage()));

            StageFailure next = catchThrowableOfType(StageFailure.class, () -> train(training()));
            assertThat(next).hasMessageContaining("no training begins here");
            assertThat(new Attempts(run()).list()).hasSize(1);
        }
    }

    @Test
    void aStepMayTakeAsLongAsItTakesWhileTheTrainerTellsThatItWorks() throws Exception {
        // twice as long as any silence is borne
        TrainingResult result = train(training(Duration.ofSeconds(2), "mishap=slow", "at=15"));

        assertThat(result.steps()).isEqualTo(30);
        assertThat(record().attempts()).isEqualTo(1);
        assertThat(stage.progress)
                .anySatisfy(p -> assertThat(p.doing()).isEqualTo("step 15: micro-step 3 of 8"))
                .last()
                .satisfies(p -> assertThat(p.doing()).isNull());
    }

    @Test
    void whyJavaDoesNotStartIsTheReason() {
        TrainingSettings settings = new TrainingSettings(
                JavaCommand.ofThisProcess(Map.of("PACER_TRAINER_JAVA_OPTIONS", "-Xms1000000g -Xmx1000000g")),
                ProtocolTrainer.class.getName(),
                Duration.ofSeconds(20),
                Duration.ofSeconds(30),
                Duration.ofSeconds(30),
                3,
                Optional.empty());
        Training starved = new Training(home, log, hub, Clock.systemUTC(), () -> machine, settings);
        assertThat(catchThrowableOfType(StageFailure.class, () -> train(starved)))
                .hasMessageContaining("Error occurred during initialization of VM | ");
    }

    @Test
    void anotherAttemptProvesTheShardsBeforeItTrainsOnThem() throws Exception {
        Training crashing = training("mishap=crash", "at=15");
        assertThatThrownBy(() -> train(crashing)).isInstanceOf(StageFailure.class);
        int attempts = new Attempts(run()).list().size();
        Path shard = damageAShard();

        assertThatThrownBy(() -> train(crashing))
                .isInstanceOfSatisfying(DamagedDataException.class, e -> {
                    assertThat(e.mendedBy()).isEqualTo(Stage.STAGE);
                    assertThat(e.isEvicted()).isFalse();
                })
                .hasMessage(shard
                        + ": damaged since it was staged; the run, or resuming it, stages it anew; check the disk");
        assertThat(new Attempts(run()).list()).as("no trainer was started").hasSize(attempts);

        stageAgain();
        assertThat(train(crashing).steps()).isEqualTo(30);
    }

    @Test
    void aTrainerThatRefusesADamagedShardIsNotTheSettingsFault() throws Exception {
        damageAShard();
        assertThatThrownBy(() -> train(training("refuse=true"))).isInstanceOf(DamagedDataException.class);
    }

    @Test
    void whatIsStagedAndGoneIsBroughtBackAndNotDamaged() throws Exception {
        Files.delete(Staging.folder(home, dataset).resolve("manifest.json"));
        assertThatThrownBy(() -> train(training()))
                .isInstanceOfSatisfying(DamagedDataException.class, e -> assertThat(e.isEvicted())
                        .isTrue())
                .hasMessageContaining("manifest.json: does not exist");
        stageAgain();
        assertThat(train(training()).steps()).isEqualTo(30);
    }

    private void stageAgain() throws IOException, InterruptedException {
        new Staging(home, log, Clock.systemUTC()).stage(new StagingRequest(plan.run(), dataset), stage);
    }

    /** Flips a bit of a staged shard, that of the dataset's folder left as it is. */
    private Path damageAShard() throws IOException {
        Path shard = Staging.folder(home, dataset).resolve("train-000000.bin").toRealPath();
        byte[] bytes = Files.readAllBytes(shard);
        bytes[2000] ^= 1;
        Files.delete(shard);
        return Files.write(shard, bytes);
    }

    @Test
    void theRecordTellsWhereItWasTrainedWhoeverOpenedTheRun() throws Exception {
        Environment other = new Environment("other", "cpu 2", 8, 1L << 34, "os 2", "jvm 2", "0", "c0ffee", false);
        machine = other;
        Training crashing = training("mishap=crash", "at=15");
        assertThatThrownBy(() -> train(crashing)).isInstanceOf(StageFailure.class);
        assertThat(run().read().trainedIn()).isEqualTo(other);
        assertThat(run().read().environment()).isEqualTo(TestRuns.MACHINE);

        machine = TestRuns.MACHINE;
        train(crashing);
        assertThat(run().read().trainedOn())
                .extracting(TrainedOn::fromStep, TrainedOn::environment)
                .containsExactly(tuple(0, other), tuple(10, TestRuns.MACHINE));

        machine = other; // where it is only looked at
        train(crashing);
        assertThat(run().read().trainedIn()).isEqualTo(TestRuns.MACHINE);
    }

    @Test
    void aNewerAttemptFencesThisOneOff() throws Exception {
        Training waiting = training("mishap=wait", "at=15");
        CompletableFuture<Void> taken = atStep(14, () -> {
            // what takes the epoch also ends the writer it finds
            Fence.acquire(run().path(), Duration.ofSeconds(5), notice -> {});
        });

        StageFailure failure = catchThrowableOfType(StageFailure.class, () -> train(waiting));
        taken.get(10, TimeUnit.SECONDS);
        assertThat(failure)
                .hasMessageContaining(
                        "was killed by signal 9 (as the system does where memory runs out) after step 14");
    }

    @Test
    void aRankThatFailsEndsTheOthers() throws Exception {
        plan(List.of("train.ranks", 2, "train.batchTokens", 1536));

        StageFailure failure =
                catchThrowableOfType(StageFailure.class, () -> train(training("mishap=hang", "at=5", "failingRank=1")));
        assertThat(failure)
                .hasMessageStartingWith("trainer rank 1 failed")
                .hasMessageEndingWith(": rank 1 lost its way");
        assertThat(new Attempts(run()).list().getLast().processes())
                .hasSize(2)
                .allSatisfy(process -> assertThat(process.find()).isEmpty());
    }

    @Test
    void ranksMeetAtAFileWithASecret() throws Exception {
        plan(List.of("train.ranks", 2, "train.batchTokens", 1536));

        assertThat(train(training()).steps()).isEqualTo(30);
        assertThat(run().path().resolve("rendezvous-1-rank1")).exists();
    }

    @Test
    void processesOfAnEarlierAttemptAreEndedFirst() throws Exception {
        Child orphan = Child.start(List.of("sleep", "1000"), Map.of(), folder.resolve("log"), line -> {});
        ProcessIdentity identity = ProcessIdentity.of(orphan.handle()).orElseThrow();
        new Attempts(run()).put(new Attempts.Attempt(1, "dead", 0, Instant.now(), List.of(identity), null));
        Fence.acquire(run().path(), Duration.ofSeconds(5), notice -> {});

        train(training());

        assertThat(orphan.waitFor(Duration.ofSeconds(5))).isTrue();
        assertThat(stage.notices).contains("processes of an earlier attempt still lived; they were ended");
    }

    private void stopAtStep(int step, StageContext.Stop stop) {
        var _ = atStep(step, () -> stage.stop = stop);
    }

    /** Does something once the trainer has told of {@code step}. */
    private CompletableFuture<Void> atStep(int step, Action action) {
        CountDownLatch reached = new CountDownLatch(1);
        hub.follow(plan.run(), update -> {
            if (update instanceof RunUpdate.Trained(TrainingEvent.Step event) && event.step() == step) {
                reached.countDown();
            }
        });
        return CompletableFuture.runAsync(() -> {
            try {
                reached.await();
                action.run();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
    }

    private interface Action {
        void run() throws Exception;
    }
}
