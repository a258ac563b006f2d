package pacer.activities.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.dataset.DatasetRequest;
import pacer.activities.dataset.Datasets;
import pacer.activities.dataset.FetchSettings;
import pacer.activities.process.JavaCommand;
import pacer.activities.run.Environment;
import pacer.activities.run.Home;
import pacer.activities.run.RunEnding;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunHub;
import pacer.activities.run.RunJson;
import pacer.activities.run.RunPlan;
import pacer.activities.run.RunRecord;
import pacer.activities.run.RunRequest;
import pacer.activities.run.RunStatus;
import pacer.activities.run.Runs;
import pacer.activities.run.Stage;
import pacer.activities.run.StageContext;
import pacer.activities.run.StageFailure;
import pacer.activities.run.StageLog;
import pacer.activities.run.StoppedException;
import pacer.activities.run.TestRuns;
import pacer.activities.run.TestStage;
import pacer.activities.staging.Staging;
import pacer.activities.staging.StagingRequest;
import pacer.activities.training.ProtocolTrainer;
import pacer.activities.training.Training;
import pacer.activities.training.TrainingRequest;
import pacer.activities.training.TrainingResult;
import pacer.activities.training.TrainingSettings;
import pacer.trainer.checkpoint.Checkpoint;
import pacer.trainer.checkpoint.CheckpointStore;
import pacer.trainer.durable.DurableFiles;

/** Runs whose checkpoints are stored, on two hosts, each a home of its own. */
class StoredRunsTest {
    @RegisterExtension
    private static final S3Server SERVER = new S3Server();

    @TempDir
    private Path folder;

    private final String prefix = "r" + UUID.randomUUID();
    private FaultProxy proxy;
    private Path text;

    @BeforeEach
    void open() throws IOException {
        proxy = new FaultProxy(SERVER.uri());
        text = TestRuns.text(folder.resolve("text.txt"), 5);
    }

    @AfterEach
    void close() {
        proxy.close();
    }

    /** One machine. */
    private final class Host {
        private final TestStage stage = new TestStage();
        private final RunHub hub = new RunHub();
        private final Home home;
        private final String name;
        private final Store store;
        private final StageLog log;

        Host(String name) {
            this.name = name;
            home = TestRuns.home(folder.resolve(name));
            log = new StageLog(home, hub, Clock.systemUTC());
            store = Store.of(S3Server.environment(proxy.uri(), prefix)).orElseThrow();
        }

        private Environment machine() {
            Environment m = TestRuns.MACHINE;
            return new Environment(name, m.cpu(), m.cores(), m.memoryBytes(), m.os(), m.jvm(), m.pacer(), null, false);
        }

        RunPlan open(RunRequest request) throws IOException {
            return runs().open(request, "workflow");
        }

        void close() throws IOException {
            runs().close(new RunEnding("run-1", RunStatus.FINISHED, null));
        }

        private Runs runs() {
            return new Runs(home, hub, Clock.systemUTC(), this::machine, f -> {}, new StoredRuns(store).of(home));
        }

        RunPlan begin() throws IOException {
            return open(new RunRequest("quickstart", TestRuns.overrides(text), List.of(), null, "run-1"));
        }

        TrainingResult train(RunPlan plan, String... properties) throws IOException, InterruptedException {
            Optional<StoredDatasets> datasets = Optional.of(new StoredDatasets(store));
            String hash = new Datasets(home, log, Clock.systemUTC(), FetchSettings.of(Map.of()), datasets)
                    .prepare(new DatasetRequest(plan.run(), plan.dataset()), stage)
                    .hash();
            new Staging(home, log, Clock.systemUTC(), datasets, OptionalLong.empty(), FetchSettings.of(Map.of()))
                    .stage(new StagingRequest(plan.run(), hash), stage);
            TrainingSettings settings = new TrainingSettings(
                    java(properties),
                    ProtocolTrainer.class.getName(),
                    Duration.ofSeconds(20),
                    Duration.ofSeconds(30),
                    Duration.ofSeconds(30),
                    3,
                    Optional.empty());
            return new Training(
                            home,
                            log,
                            hub,
                            Clock.systemUTC(),
                            this::machine,
                            settings,
                            Optional.of(new StoredRuns(store)))
                    .train(new TrainingRequest(plan.run(), hash), "owner-" + name, stage);
        }

        RunFolder run() {
            return home.run("run-1");
        }

        List<Integer> steps() throws IOException {
            return new CheckpointStore(run().checkpoints(), n -> {})
                    .list().stream().map(c -> c.state().step()).toList();
        }
    }

    private static JavaCommand java(String... properties) {
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

    private Path stored(int step) {
        return SERVER.file(prefix + "/checkpoints/run-1/" + CheckpointStore.folderName(step));
    }

    private List<Integer> storedSteps() throws IOException {
        Path all = SERVER.file(prefix + "/checkpoints/run-1");
        if (!Files.exists(all)) {
            return List.of();
        }
        try (Stream<Path> steps = Files.list(all)) {
            return steps.filter(p -> Files.exists(p.resolve("manifest.json")))
                    .map(p -> Integer.parseInt(p.getFileName().toString().substring(5)))
                    .sorted()
                    .toList();
        }
    }

    @Test
    void atTheEndOfATrainingTheStoreHasWhatTheFolderHas() throws Exception {
        Host host = new Host("a");
        host.train(host.begin());
        assertThat(storedSteps()).isEqualTo(host.steps()).contains(30);
        for (Checkpoint checkpoint : new CheckpointStore(host.run().checkpoints(), n -> {}).list()) {
            try (Stream<Path> files = Files.list(checkpoint.folder())) {
                assertThat(files).isNotEmpty().allSatisfy(file -> assertThat(
                                stored(checkpoint.state().step()).resolve(file.getFileName()))
                        .hasSameBinaryContentAs(file));
            }
        }
        assertThat(host.stage.notices).isEmpty();
    }

    @Test
    void anotherHostGoesOnWhereTheFirstWas() throws Exception {
        Host first = new Host("a");
        RunPlan plan = first.begin();
        assertThatThrownBy(() -> first.train(plan, "mishap=crash", "at=25")).isInstanceOf(StageFailure.class);
        assertThat(storedSteps()).endsWith(20);
        Files.delete(text); // the first host's

        Host second = new Host("b");
        RunPlan taken = second.open(RunRequest.goOn("run-1"));
        assertThat(taken.host()).isEqualTo("b");
        TrainingResult result = second.train(taken);

        assertThat(result.steps()).isEqualTo(30);
        assertThat(second.stage.notices)
                .anySatisfy(n -> assertThat(n).startsWith("checkpoint of step 20 fetched from the store"));
        assertThat(second.run().read().trainedOn())
                .extracting(t -> t.fromStep() + " " + t.environment().host())
                .containsExactly("0 a", "20 b");
        assertThat(Files.readString(second.run().events()))
                .as("steps of the first host")
                .contains("\"step\":5,")
                .contains("\"step\":30,");
        assertThat(storedSteps()).isEqualTo(second.steps()).contains(30);
    }

    @Test
    void howARunEndedIsStoredByTheHostThatHadItLast() throws Exception {
        Host first = new Host("a");
        RunPlan plan = first.begin();
        assertThatThrownBy(() -> first.train(plan, "mishap=crash", "at=25")).isInstanceOf(StageFailure.class);
        Host second = new Host("b");
        second.train(second.open(RunRequest.goOn("run-1")));
        assertThat(storedRecord().status()).isEqualTo(RunStatus.RUNNING);
        second.close();
        assertThat(storedRecord().status()).isEqualTo(RunStatus.FINISHED);
        assertThat(storedRecord().environment().host()).isEqualTo("b");
        first.close();
        assertThat(storedRecord().environment().host())
                .as("it is no longer the first's")
                .isEqualTo("b");
    }

    @Test
    void whatTheStoreMissedIsMadeUpForWhenTheRunIsGoneOnWith() throws Exception {
        Host host = new Host("a");
        RunPlan plan = host.begin();
        host.train(plan);
        DurableFiles.deleteTree(stored(30));
        assertThat(storedSteps()).doesNotContain(30);
        host.train(plan);
        assertThat(host.run().read().stage(Stage.TRAIN).orElseThrow().reused()).isTrue();
        assertThat(storedSteps()).isEqualTo(host.steps()).contains(30);
    }

    private RunRecord storedRecord() throws IOException {
        return RunJson.MAPPER.readValue(
                SERVER.file(prefix + "/runs/run-1/run.json").toFile(), RunRecord.class);
    }

    @Test
    void aHostThatWasGivenUpStoresNothingAnyMore() throws Exception {
        Host first = new Host("a");
        RunPlan plan = first.begin();
        assertThatThrownBy(() -> first.train(plan, "mishap=crash", "at=15")).isInstanceOf(StageFailure.class);
        CheckpointUploads zombie = new StoredRuns(first.store).uploads(first.run(), 2, first.stage);
        zombie.finish();
        Host second = new Host("b");
        RunPlan taken = second.open(RunRequest.goOn("run-1"));
        assertThatThrownBy(() -> second.train(taken, "mishap=crash", "at=25")).isInstanceOf(StageFailure.class);
        assertThat(storedSteps()).containsExactly(10, 20);

        // the first host trains on, and its retention deletes
        Path late = first.run().checkpoints().resolve("step-000020");
        try (Stream<Path> files = Files.list(second.run().checkpoints().resolve("step-000020"))) {
            Files.createDirectory(late);
            for (Path file : files.toList()) {
                Files.copy(file, late.resolve(file.getFileName()));
            }
        }
        DurableFiles.deleteTree(first.run().checkpoints().resolve("step-000010"));
        zombie.finish();
        zombie.close();

        assertThat(first.stage.notices)
                .filteredOn(n -> n.contains("another host has gone on with this run"))
                .hasSize(1);
        assertThat(storedSteps()).containsExactly(10, 20);
        StoredRun run = new StoredRun(first.store.objects(), first.run());
        assertThat(run.newestEpoch(TransferListener.NOBODY)).isEqualTo(3);
        assertThat(run.claim(2, "someone else", TransferListener.NOBODY)).isFalse();
        assertThat(second.train(taken).steps()).isEqualTo(30);
    }

    @Test
    void aCheckpointFlippedInTheStoreIsSetAsideAndTheOneBeforeItUsed() throws Exception {
        Host first = new Host("a");
        RunPlan plan = first.begin();
        assertThatThrownBy(() -> first.train(plan, "mishap=crash", "at=25")).isInstanceOf(StageFailure.class);
        SERVER.flip(prefix + "/checkpoints/run-1/step-000020/model.safetensors");

        Host second = new Host("b");
        assertThat(second.train(second.open(RunRequest.goOn("run-1"))).steps()).isEqualTo(30);
        assertThat(second.stage.notices)
                .anySatisfy(n -> assertThat(n).startsWith("damaged checkpoint in the store set aside"))
                .anySatisfy(n -> assertThat(n).startsWith("checkpoint of step 10 fetched"));
        assertThat(storedSteps()).isEqualTo(second.steps());
        try (Stream<Path> left = Files.list(second.run().checkpoints())) {
            assertThat(left).noneMatch(p -> p.getFileName().toString().startsWith("."));
        }
    }

    @Test
    void aStoreThatIsDownCostsNoTraining() throws Exception {
        Host host = new Host("a");
        RunPlan plan = host.begin();
        proxy.answer(".*(runs|checkpoints)/run-1.*", 500, Integer.MAX_VALUE);
        assertThat(host.train(plan).steps()).isEqualTo(30);
        assertThat(storedSteps()).isEmpty();
        assertThat(host.stage.notices)
                .filteredOn(n -> n.contains("on this machine only"))
                .hasSize(1);
    }

    @Test
    void aHostWithoutACheckpointDoesNotBeginAnewWhatTheStoreDoesNotGive() throws Exception {
        Host first = new Host("a");
        RunPlan plan = first.begin();
        assertThatThrownBy(() -> first.train(plan, "mishap=crash", "at=25")).isInstanceOf(StageFailure.class);
        Host second = new Host("b");
        RunPlan taken = second.open(RunRequest.goOn("run-1"));
        proxy.answer("(GET|HEAD) .*checkpoints.*run-1.*", 500, Integer.MAX_VALUE);
        assertThatThrownBy(() -> second.train(taken)).hasMessageContaining("500");
        proxy.heal();
        assertThat(second.train(taken).steps()).isEqualTo(30);
        assertThat(second.run().read().trainedOn().getLast().fromStep()).isEqualTo(20);
    }

    @Test
    void aTrainingThatIsStoppedStoresItsLastCheckpoint() throws Exception {
        Host host = new Host("a");
        RunPlan plan = host.begin();
        Thread.ofVirtual().start(() -> {
            while (host.stage.progress.stream().noneMatch(p -> p.step() != null && p.step() > 12)) {
                Thread.onSpinWait();
            }
            host.stage.stop = StageContext.Stop.REQUESTED;
        });
        assertThatThrownBy(() -> host.train(plan, "mishap=slow", "at=15")).isInstanceOf(StoppedException.class);
        assertThat(storedSteps()).isEqualTo(host.steps());
    }
}
