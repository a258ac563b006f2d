package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.dataset.PreparationSettings;
import pacer.activities.evaluation.EvaluationSettings;
import pacer.activities.process.JavaCommand;
import pacer.activities.run.BadInputException;
import pacer.activities.run.Home;
import pacer.activities.run.OtherJvm;
import pacer.activities.run.RunStatus;
import pacer.activities.run.TestRuns;
import pacer.activities.store.S3Server;
import pacer.activities.store.Store;
import pacer.activities.training.TrainingSettings;
import pacer.trainer.checkpoint.EventLog;
import pacer.trainer.event.TrainingEvent;

/**
 * Runs that several hosts train: workers in processes of their own, each with a name, a loopback address and folders of its own; a real Temporal server, a real S3
 * server, real trainers.
 */
@Timeout(420)
class EnsembleTest {
    private static final Policies QUICK = new Policies(Duration.ofSeconds(5));
    private static final String TRAINER = "TEST_TRAINER";
    private static final PreparationSettings SMALL = new PreparationSettings(10_000, 16, 3);

    @RegisterExtension
    private static final S3Server S3 = new S3Server();

    @RegisterExtension
    private static final TemporalServer TEMPORAL = new TemporalServer();

    @TempDir
    private Path folder;

    private final String prefix = "e" + UUID.randomUUID();
    private final Set<Process> processes = new HashSet<>();
    private TemporalConnection connection;
    private PipelineWorker control;
    private Path text;

    @BeforeEach
    void open() throws Exception {
        connection = TEMPORAL.connect();
        control = PipelineWorker.start(
                connection,
                TestPipelines.settings(TestRuns.home(folder.resolve("control")), QUICK),
                Set.of(ServiceWorker.Role.CONTROL));
        text = TestRuns.text(folder.resolve("text.txt"), 40);
    }

    @AfterEach
    void close() throws Exception {
        for (Process process : processes) {
            process.destroyForcibly().waitFor();
        }
        control.close();
        connection.close();
    }

    /** A worker of role host until it is killed: its folder, its service's address, its store's. */
    static final class Working {
        public static void main(String[] arguments) throws IOException, InterruptedException {
            Path place = Path.of(arguments[0]);
            Store store = Store.of(S3Server.environment(URI.create(arguments[2]), arguments[3]))
                    .orElseThrow();
            PipelineWorker.start(
                    TemporalConnection.open(TemporalAddress.find(arguments[1], Map.of())),
                    real(TestPipelines.shared(TestPipelines.settings(TestRuns.home(place), QUICK), store, SMALL)),
                    Set.of(ServiceWorker.Role.HOST));
            Files.writeString(place.resolve("working"), "");
            Thread.sleep(Long.MAX_VALUE);
        }

        private static WorkerSettings real(WorkerSettings usual) {
            TrainingSettings training = new TrainingSettings(
                    JavaCommand.ofThisProcess(Map.of()),
                    System.getenv().getOrDefault(TRAINER, "pacer.trainer.Trainer"),
                    Duration.ofSeconds(60),
                    Duration.ofSeconds(120),
                    Duration.ofSeconds(120),
                    5,
                    Optional.empty(),
                    TrainingSettings.of(System.getenv()).address());
            return new WorkerSettings(
                    usual.home(),
                    usual.fetch(),
                    usual.preparation(),
                    training,
                    EvaluationSettings.of(Map.of()),
                    usual.report(),
                    usual.links(),
                    usual.webhook(),
                    usual.tracking(),
                    usual.store(),
                    usual.cacheLimit(),
                    usual.deployment(),
                    usual.policies());
        }
    }

    /** Host {@code h1} at 127.0.0.11, and so on. */
    private Process host(int number) throws Exception {
        return host(number, Map.of("PACER_RANKS_ADDRESS", "127.0.0.1" + number));
    }

    private Process host(int number, Map<String, String> settings) throws Exception {
        Path place = Files.createDirectories(folder.resolve("h" + number));
        Map<String, String> environment = new HashMap<>(settings);
        environment.put("PACER_HOST", "h" + number);
        Process process = OtherJvm.startIn(
                environment,
                System.getProperty("java.class.path"),
                Working.class,
                place.resolve("log"),
                place.toString(),
                TEMPORAL.address(),
                S3.uri().toString(),
                prefix);
        processes.add(process);
        while (!Files.exists(place.resolve("working"))) {
            assertThat(process.isAlive())
                    .as(Files.readString(place.resolve("log")))
                    .isTrue();
            Thread.sleep(20);
        }
        return process;
    }

    private Pipeline client() throws Exception {
        Home home = TestRuns.home(folder.resolve("h1"));
        return Pipeline.with(home, TEMPORAL.connect(), TestPipelines.settings(home, QUICK), Set.of());
    }

    private RunHandle start(Pipeline client, int hosts, int ranks, int steps) throws Exception {
        return client.start(
                TestPipelines.layers(
                        text,
                        "model={layers: 1, heads: 2, width: 16, sequenceLength: 16}",
                        "train.batchTokens=128",
                        "train.microBatch=2",
                        "train.precision=fp32",
                        "train.threads=1",
                        "train.ranks=" + ranks,
                        "train.hosts=" + hosts,
                        "train.steps=" + steps,
                        "checkpoint.everySteps=20",
                        "evaluation.everySteps=50",
                        "evaluation.tokens=512",
                        "expectation.validationLoss=9"),
                null,
                null,
                true);
    }

    private Path run(RunHandle run) throws Exception {
        while (true) {
            for (int number = 1; number <= 4; number++) {
                Path place = at(number, run);
                if (Files.exists(place.resolve("run.json"))) {
                    return place;
                }
            }
            Thread.sleep(50);
        }
    }

    private Path at(int number, RunHandle run) {
        return TestRuns.home(folder.resolve("h" + number)).runs().resolve(run.id());
    }

    private static Map<Integer, Double> losses(Path run) throws IOException {
        Map<Integer, Double> losses = new TreeMap<>();
        Path file = run.resolve("events.jsonl");
        if (Files.exists(file)) {
            for (TrainingEvent event : EventLog.firstOccurrences(EventLog.read(file, damage -> {}))) {
                if (event instanceof TrainingEvent.Step step) {
                    losses.put(step.step(), step.loss());
                }
            }
        }
        return losses;
    }

    private static void awaitStep(Path run, int step) throws Exception {
        while (!losses(run).containsKey(step)) {
            Thread.sleep(200);
        }
    }

    private String history(RunHandle run) {
        return connection.client().fetchHistory(run.id()).getEvents().toString(); // payloads as they are
    }

    @Test
    void aHostThatDiesIsReplacedAndTheLossesAreThoseOfOneHost() throws Exception {
        Process _ = host(1);
        try (Pipeline client = client()) {
            RunHandle together = start(client, 2, 4, 300);
            Path files = run(together); // on h1, as nobody else is there
            while (!history(together).contains("HoldHost")) {
                Thread.sleep(200);
            }
            Process mortal = host(2);
            Process _ = host(3); // the one that is first by name is asked first
            while (!history(together).contains("TrainRanks")) {
                Thread.sleep(100);
            }
            Path secret = S3.file(prefix + "/runs/" + together.id() + "/rendezvous/1");
            String token = Files.readString(secret);
            awaitStep(files, 25);
            mortal.destroyForcibly().waitFor(); // SIGKILL

            PipelineOutcome outcome = together.result();

            assertThat(outcome.status()).as(outcome.reason()).isEqualTo(RunStatus.FINISHED);
            assertThat(losses(files)).hasSize(300);
            String history = history(together);
            assertThat(token).hasSize(64);
            assertThat(history)
                    .contains("127.0.0.11:", "\"train-h2\"", "\"train-h3\"")
                    .doesNotContain(token);
            assertThat(secret).doesNotExist();
            assertThat(Files.readString(files.resolve("attempts.json"))).contains("\"epoch\" : 2");
            SaveHistories.keep("ensemble", connection, together.id());
            assertThat(mentioning(token)).as("files that have the secret").isEmpty();
            try (Stream<Path> left = Files.walk(folder)) {
                assertThat(left.filter(path -> path.getParent().endsWith("cache/ranks")
                                && path.toString().contains("h3")))
                        .as("nothing is left on the host that joined")
                        .isEmpty();
            }

            RunHandle alone = start(client, 1, 4, 300);
            assertThat(alone.result().status()).isEqualTo(RunStatus.FINISHED);
            assertThat(losses(run(alone))).isEqualTo(losses(files));
        }
    }

    /** Files of all hosts in which {@code text} is: logs, records, spec, events. */
    private List<Path> mentioning(String text) throws IOException {
        List<Path> found = new ArrayList<>();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                if (Files.readString(file, StandardCharsets.ISO_8859_1).contains(text)) {
                    found.add(file);
                }
            }
        }
        return found;
    }

    @Test
    void hostsThatCannotTakePartArePassedOverAndOneThatFailsIsAskedLast() throws Exception {
        Process _ = host(1);
        try (Pipeline client = client()) {
            RunHandle run = start(client, 2, 2, 30);
            Path files = run(run); // on h1, as nobody else is there
            List<Process> useless = List.of(
                    host(2, Map.of()),
                    host(3, Map.of("PACER_RANKS_ADDRESS", "127.0.0.13", TRAINER, "pacer.NoTrainer")));
            Process _ = host(4);
            PipelineOutcome outcome = run.result();
            assertThat(outcome.status()).as(outcome.reason()).isEqualTo(RunStatus.FINISHED);
            Map<Integer, Double> losses = losses(files);
            assertThat(losses).hasSize(30);
            assertThat(history(run))
                    .contains("host h2 has no PACER_RANKS_ADDRESS", "trainer rank 1, on host h3, ", "\"train-h4\"");
            for (Process one : useless) {
                one.destroyForcibly().waitFor(); // they would open the run, too
            }

            // further, and over other ranks: those of the other host are told, whichever opens it
            RunHandle further = client.resume(run.id(), List.of("train.ranks=4"), null, 45);
            PipelineOutcome end = further.result();
            assertThat(end.status()).as(end.reason()).isEqualTo(RunStatus.FINISHED);
            Path now = end.result().host().equals("h1") ? files : at(4, run);
            assertThat(losses(now)).hasSize(45).containsAllEntriesOf(losses);
            assertThat(Files.readString(now.resolve("events.jsonl"))).contains("bits differ");

            RunHandle another = client.resume(run.id(), List.of("optimizer.learningRate=0.5"), null, 60);
            assertThat(another.result().reason()).contains("was made from another spec");
        }
    }

    @Test
    void aRunIsPausedWhileItWaitsForHostsAndWhileTheyTrain() throws Exception {
        Process _ = host(1);
        try (Pipeline client = client()) {
            RunHandle run = start(client, 2, 4, 400);
            TrainPipeline workflow = connection.client().newWorkflowStub(TrainPipeline.class, run.id());
            Path files = run(run);
            awaitNotice(workflow, "1 of 2 hosts that it needs are free");
            assertThat(workflow.pause()).startsWith("paused");
            assertThat(workflow.progress().paused()).isTrue();
            assertThatThrownBy(() -> client.resume(run.id(), null, 500))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageStartingWith("run " + run.id() + " is at work, or waits, in the Temporal service");
            assertThat(client.resume(run.id(), null, null).id()).as("joined").isEqualTo(run.id());
            workflow.resume();
            awaitNotice(workflow, "1 of 2 hosts that it needs are free");

            Process _ = host(2);
            awaitStep(files, 30);
            assertThat(workflow.pause()).isEqualTo("paused; what was trained is in a checkpoint");
            int last = losses(files).keySet().stream().max(Integer::compare).orElseThrow();
            assertThat(last).isLessThan(400);
            assertThat(files.resolve("checkpoints/step-%06d".formatted(last))).exists();
            workflow.resume();
            awaitStep(files, last + 5);
            run.stop();
            assertThat(run.result().status()).isEqualTo(RunStatus.STOPPED);
            assertThat(Files.readString(files.resolve("events.jsonl"))).contains("step-%06d".formatted(last));
        }
    }

    private static void awaitNotice(TrainPipeline workflow, String text) throws Exception {
        while (workflow.progress().notice() == null
                || !workflow.progress().notice().contains(text)) {
            Thread.sleep(100);
        }
    }

    @Test
    void runsThatWantTheSameHostsAllComeToAnEnd() throws Exception {
        Process _ = host(1);
        Process _ = host(2);
        try (Pipeline client = client()) {
            List<RunHandle> runs = List.of(start(client, 2, 2, 20), start(client, 2, 2, 21));
            for (RunHandle run : runs) {
                PipelineOutcome outcome = run.result();
                assertThat(outcome.status()).as(outcome.reason()).isEqualTo(RunStatus.FINISHED);
            }
        }
    }

    @Test
    void severalHostsNeedAService() throws Exception {
        Home home = TestRuns.home(folder.resolve("alone"));
        try (Pipeline embedded = TestPipelines.embedded(home)) {
            PipelineOutcome outcome = start(embedded, 2, 2, 10).result();
            assertThat(outcome.status()).isEqualTo(RunStatus.FAILED);
            assertThat(outcome.reason()).contains("train.hosts", "(PACER_STORE)");
        }
    }
}
