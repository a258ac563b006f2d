package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.StatusRuntimeException;
import io.temporal.api.common.v1.WorkflowExecution;
import io.temporal.api.enums.v1.PendingActivityState;
import io.temporal.api.enums.v1.WorkflowExecutionStatus;
import io.temporal.api.history.v1.HistoryEvent;
import io.temporal.api.workflow.v1.PendingActivityInfo;
import io.temporal.api.workflowservice.v1.DescribeWorkflowExecutionRequest;
import io.temporal.api.workflowservice.v1.DescribeWorkflowExecutionResponse;
import io.temporal.client.WorkflowFailedException;
import io.temporal.client.WorkflowOptions;
import io.temporal.client.WorkflowStub;
import io.temporal.failure.ApplicationFailure;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.dataset.DatasetRequest;
import pacer.activities.dataset.DatasetResult;
import pacer.activities.dataset.Datasets;
import pacer.activities.dataset.FetchSettings;
import pacer.activities.dataset.PreparationSettings;
import pacer.activities.run.Home;
import pacer.activities.run.OtherJvm;
import pacer.activities.run.PreparationRequest;
import pacer.activities.run.RunHub;
import pacer.activities.run.RunRecord;
import pacer.activities.run.RunStatus;
import pacer.activities.run.RunUpdate;
import pacer.activities.run.Stage;
import pacer.activities.run.StageContext;
import pacer.activities.run.StageLog;
import pacer.activities.run.TestRuns;
import pacer.activities.store.FaultProxy;
import pacer.activities.store.S3Server;
import pacer.activities.store.Store;
import pacer.trainer.durable.Sha256;
import pacer.trainer.spec.DatasetSpec;
import pacer.trainer.text.DatasetManifest;
import pacer.trainer.text.Tokenization.Shard;

/** Datasets that several workers, processes of their own with a cache each, make for runs: a real Temporal server, a real S3 server. */
@Timeout(180)
class SharedPreparationTest {
    private static final Policies QUICK = new Policies(Duration.ofSeconds(5));

    /** Other than as many as usual. */
    private static final int SLOTS = 3;

    private static final PreparationSettings SMALL = new PreparationSettings(10_000, 16, SLOTS);
    private static final int KILOBYTES = 600;

    /** So slow that a part takes seconds; and so that it takes longer than the test. */
    private static final int SLOW = 20_000;

    private static final int STUCK = 1000;

    @RegisterExtension
    private static final S3Server S3 = new S3Server();

    @RegisterExtension
    private static final TemporalServer TEMPORAL = new TemporalServer();

    @TempDir
    private Path folder;

    private final String prefix = "w" + UUID.randomUUID();
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
        text = TestRuns.text(folder.resolve("text.txt"), KILOBYTES);
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
            WorkerSettings settings =
                    TestPipelines.shared(TestPipelines.settings(TestRuns.home(place), QUICK), store, SMALL);
            PipelineWorker.start(
                    TemporalConnection.open(TemporalAddress.find(arguments[1], Map.of())),
                    settings,
                    Set.of(ServiceWorker.Role.HOST));
            Files.writeString(place.resolve("working"), "");
            Thread.sleep(Long.MAX_VALUE);
        }
    }

    private Process worker(String name, FaultProxy line) throws Exception {
        Path place = Files.createDirectories(folder.resolve(name));
        Process process = OtherJvm.startWith(
                folder.resolve("resources") + java.io.File.pathSeparator + System.getProperty("java.class.path"),
                Working.class,
                place.resolve("log"),
                place.toString(),
                TEMPORAL.address(),
                line.uri().toString(),
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

    /** Starts runs on the host "host", over a line of its own. */
    private Pipeline client() throws IOException {
        Home home = TestRuns.home(folder.resolve("host"));
        return Pipeline.with(home, TEMPORAL.connect(), TestPipelines.settings(home, QUICK), Set.of());
    }

    private WorkflowStub start(String id, Object input) {
        WorkflowStub execution = connection
                .client()
                .newUntypedWorkflowStub(
                        PrepareDataset.TYPE,
                        WorkflowOptions.newBuilder()
                                .setWorkflowId(id)
                                .setTaskQueue(TaskQueues.CONTROL)
                                .build());
        execution.start(input);
        return execution;
    }

    private DatasetSpec spec() {
        return new DatasetSpec("file:" + text, "", DatasetSpec.Format.TEXT, DatasetSpec.Tokenizer.CHARACTERS, 0.1);
    }

    private DescribeWorkflowExecutionResponse describe(String id) {
        return connection
                .client()
                .getWorkflowServiceStubs()
                .blockingStub()
                .describeWorkflowExecution(DescribeWorkflowExecutionRequest.newBuilder()
                        .setNamespace("default")
                        .setExecution(WorkflowExecution.newBuilder().setWorkflowId(id))
                        .build());
    }

    /** Ids of the parts that the worker of {@code process} has begun. */
    private Set<String> at(String id, Process process) {
        return describe(id).getPendingActivitiesList().stream()
                .filter(activity -> activity.getActivityType().getName().equals("TokenizePart"))
                .filter(activity -> activity.getState() == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED)
                .filter(activity -> activity.getLastWorkerIdentity().startsWith(process.pid() + "@"))
                .map(PendingActivityInfo::getActivityId)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** Ids of the activities of {@code type} by the number of the attempt that was the last. */
    private Map<Integer, Set<String>> attempts(String id, String type) {
        List<HistoryEvent> events = connection.client().fetchHistory(id).getEvents();
        Map<Long, String> ids = events.stream()
                .filter(HistoryEvent::hasActivityTaskScheduledEventAttributes)
                .filter(event -> event.getActivityTaskScheduledEventAttributes()
                        .getActivityType()
                        .getName()
                        .equals(type))
                .collect(Collectors.toMap(
                        HistoryEvent::getEventId,
                        event -> event.getActivityTaskScheduledEventAttributes().getActivityId()));
        return events.stream()
                .filter(HistoryEvent::hasActivityTaskStartedEventAttributes)
                .map(HistoryEvent::getActivityTaskStartedEventAttributes)
                .filter(started -> ids.containsKey(started.getScheduledEventId()))
                .collect(Collectors.groupingBy(
                        started -> started.getAttempt(),
                        Collectors.mapping(
                                started -> ids.get(started.getScheduledEventId()),
                                Collectors.toCollection(TreeSet::new))));
    }

    private String queue(String id, String type) {
        return connection.client().fetchHistory(id).getEvents().stream()
                .filter(HistoryEvent::hasActivityTaskScheduledEventAttributes)
                .map(HistoryEvent::getActivityTaskScheduledEventAttributes)
                .filter(scheduled -> scheduled.getActivityType().getName().equals(type))
                .map(scheduled -> scheduled.getTaskQueue().getName())
                .distinct()
                .collect(Collectors.joining(" "));
    }

    /** What one host makes alone, with no store. */
    private Path alone(DatasetSpec spec) throws Exception {
        Home home = TestRuns.home(folder.resolve("alone"));
        Datasets datasets = new Datasets(
                home,
                new StageLog(home, new RunHub(), Clock.systemUTC()),
                Clock.systemUTC(),
                FetchSettings.of(Map.of()));
        DatasetResult made = datasets.prepare(new DatasetRequest(null, spec), StageContext.NOBODY);
        return home.datasets().resolve(made.hash());
    }

    private void assertStoredAs(Path alone) throws IOException {
        assertThat(S3.file(prefix + "/datasets/" + alone.getFileName() + ".json"))
                .hasSameBinaryContentAs(alone.resolve(DatasetManifest.NAME));
        for (Shard shard : DatasetManifest.read(alone).shards()) {
            assertThat(S3.file(prefix + "/shards/" + shard.sha256() + ".bin"))
                    .hasSameBinaryContentAs(alone.resolve(shard.name()));
        }
    }

    @Test
    void ofAKilledWorkerOnlyThePartsThatItWasAtAreMadeTwice() throws Exception {
        Path alone = alone(spec());
        String id = PrepareDataset.id(alone.getFileName().toString());
        try (FaultProxy good = new FaultProxy(S3.uri());
                FaultProxy bad = new FaultProxy(S3.uri())) {
            Process survivor = worker("survivor", good);
            WorkflowStub execution = start(id, PreparationRequest.of(spec(), null));
            while (at(id, survivor).isEmpty()) {
                Thread.sleep(20);
            }
            good.limit(SLOW);
            bad.limit(STUCK);
            Process mortal = worker("mortal", bad);
            while (at(id, mortal).size() < SLOTS) { // all that it takes at once
                Thread.sleep(50);
            }
            Thread.sleep(1000); // in which it would take another
            Set<String> lost = at(id, mortal);
            assertThat(lost).hasSize(SLOTS);
            mortal.destroyForcibly().waitFor(); // SIGKILL
            assertThat(describe(id).getWorkflowExecutionInfo().getStatus())
                    .isEqualTo(WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING);
            good.heal();

            DatasetResult result = execution.getResult(DatasetResult.class);

            assertThat(PrepareDataset.id(result.hash())).isEqualTo(id);
            assertStoredAs(alone);
            Map<Integer, Set<String>> attempts = attempts(id, "TokenizePart");
            assertThat(attempts.keySet()).containsExactlyInAnyOrder(1, 2);
            assertThat(attempts.get(2)).isEqualTo(lost);
            assertThat(attempts.get(1)).hasSizeGreaterThan(50);
            assertThat(attempts(id, "DivideText").keySet()).containsExactly(1);
            assertThat(attempts(id, "JoinShard").keySet()).containsExactly(1);
            assertThat(queue(id, "TokenizePart")).isEqualTo(TaskQueues.SHARED_DATA);
            assertThat(queue(id, "DivideText"))
                    .as("its raw file is on one host")
                    .startsWith("data-");
            save("text", id);
        }
    }

    @Test
    void aRunsDatasetIsMadeOnceAndAnotherRunNeitherFetchesNorMakesNorSendsAnything() throws Exception {
        try (FaultProxy line = new FaultProxy(S3.uri())) {
            Process worker = worker("host", line);
            String id = PrepareDataset.id(alone(spec()).getFileName().toString());
            try (Pipeline client = client()) {
                StringBuilder said = new StringBuilder();
                RunHandle first = client.start(TestPipelines.layers(text), null, null, true);
                RunHandle beside = client.start(TestPipelines.layers(text), null, null, true);
                while (!runs(id) || at(id, worker).isEmpty()) {
                    Thread.sleep(20);
                }
                line.limit(SLOW);
                PipelineOutcome outcome = first.follow(update -> {
                    if (update instanceof RunUpdate.Advanced(var progress) && progress.stage() == Stage.DATASET) {
                        said.append(progress.text()).append('\n');
                        if (progress.text().contains("left")) {
                            line.heal();
                        }
                    }
                });
                assertThat(outcome.status()).isEqualTo(RunStatus.FINISHED);
                assertThat(beside.result().status()).isEqualTo(RunStatus.FINISHED);
                assertThat(said)
                        .containsPattern("dataset-[0-9a-f]{12}: tokenize, \\d+ of 6[0-9], [0-9.]+ MB/s, .* left");
                String hash = hash(first.folder().orElseThrow().read());
                assertThat(hash(beside.folder().orElseThrow().read())).isEqualTo(hash);
                assertThat(attempts(PrepareDataset.id(hash), "DivideText").get(1))
                        .as("one execution for both")
                        .hasSize(1);
                assertStoredAs(alone(spec()));

                line.requests().clear();
                RunHandle second = client.start(TestPipelines.layers(text), null, null, true);
                assertThat(second.result().status()).isEqualTo(RunStatus.FINISHED);
                RunRecord record = second.folder().orElseThrow().read();
                assertThat(hash(record)).isEqualTo(hash);
                assertThat(record.stage(Stage.DATASET).orElseThrow().reused()).isTrue();
                assertThat(record.stage(Stage.STAGE).orElseThrow().reused()).isTrue();
                assertThat(line.requests())
                        .filteredOn(request -> !request.matches(".*(/|%2F)(checkpoints|runs)(/|%2F).*"))
                        .as("a look at the manifest, and nothing else")
                        .allMatch(request -> request.matches("(HEAD|GET) .*/datasets/" + hash + "\\.json.*"));
                long wait = Duration.between(
                                record.stage(Stage.DATASET).orElseThrow().started(),
                                record.stage(Stage.TRAIN).orElseThrow().started())
                        .toMillis();
                System.out.println("from the dataset's begin to the training's: " + wait + " ms");
            }
        }
    }

    @Test
    void aStoppedRunLeavesItAtWorkAndAStoppedPreparationIsTheEndOfThoseWhoWait() throws Exception {
        try (FaultProxy line = new FaultProxy(S3.uri())) {
            Process worker = worker("host", line);
            String id = PrepareDataset.id(alone(spec()).getFileName().toString());
            try (Pipeline client = client()) {
                RunHandle first = client.start(TestPipelines.layers(text), null, null, true);
                RunHandle beside = client.start(TestPipelines.layers(text), null, null, true);
                while (!runs(id) || at(id, worker).isEmpty()) {
                    Thread.sleep(20);
                }
                line.limit(STUCK);
                while (waiting(beside) == 0) {
                    Thread.sleep(20);
                }
                first.stop();
                assertThat(first.result().status()).isEqualTo(RunStatus.STOPPED);
                assertThat(runs(id)).isTrue();

                connection.client().newUntypedWorkflowStub(id).cancel();
                PipelineOutcome outcome = beside.result();
                assertThat(outcome.status()).isEqualTo(RunStatus.FAILED);
                assertThat(outcome.reason()).contains("workflow " + id + ", which makes the dataset, was stopped");
            }
            assertThat(describe(id).getWorkflowExecutionInfo().getStatus())
                    .isEqualTo(WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_CANCELED);
        }
    }

    private boolean runs(String id) {
        try {
            return describe(id).getWorkflowExecutionInfo().getStatus()
                    == WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING;
        } catch (StatusRuntimeException notYet) {
            return false;
        }
    }

    private int waiting(RunHandle run) {
        return (int) describe(run.id()).getPendingActivitiesList().stream()
                .filter(activity -> activity.getActivityType().getName().equals("PrepareDataset"))
                .count();
    }

    @Test
    void filesOfACatalogueAreBroughtOnceByAnyWorker() throws Exception {
        Path mirror = Files.createDirectories(folder.resolve("mirror"));
        Path catalogues = Files.createDirectories(folder.resolve("resources/catalogues"));
        // one of the catalogues that there are, with files of a few tokens
        Files.writeString(catalogues.resolve("fineweb10B.yaml"), """
                name: fineweb10B
                description: small
                homes: https://127.0.0.1:9/
                license: none
                tokenizer: gpt2
                format: shards
                trainFile: train_%06d.bin
                firstTrainFile: 1
                trainShards: 30
                shardTokens: 400
                lastShardTokens: 400
                validationFile: val_000000.bin
                validationTokens: 400
                """);
        Files.writeString(catalogues.resolve("fineweb10B.sha256"), "");
        List<String> digests = new ArrayList<>();
        for (int i = 1; i <= 31; i++) {
            byte[] file = shard(i, 400);
            Files.write(mirror.resolve(i == 31 ? "val_000000.bin" : "train_%06d.bin".formatted(i)), file);
            digests.add(Sha256.of(file));
        }
        try (FaultProxy line = new FaultProxy(S3.uri())) {
            line.limit(SLOW);
            Process a = worker("a", line);
            Process b = worker("b", line);
            WorkflowStub execution = start(
                    "by-hand-" + prefix,
                    Map.of("dataset", Map.of("url", "catalogue:fineweb10B", "mirrors", "file:" + mirror)));
            DatasetResult made = execution.getResult(DatasetResult.class);
            String id = PrepareDataset.id(made.hash());
            assertThat(attempts(id, "BringFile")).containsOnlyKeys(1);
            assertThat(attempts(id, "BringFile").get(1)).hasSize(31);
            assertThat(connection.client().fetchHistory(id).getEvents())
                    .filteredOn(HistoryEvent::hasActivityTaskStartedEventAttributes)
                    .extracting(event -> event.getActivityTaskStartedEventAttributes()
                            .getIdentity()
                            .replaceAll("@.*", ""))
                    .contains(String.valueOf(a.pid()), String.valueOf(b.pid()));
            Path manifest = S3.file(prefix + "/datasets/" + made.hash() + ".json");
            assertThat(DatasetManifest.parse(Files.readAllBytes(manifest), "the manifest")
                            .shards())
                    .extracting(Shard::sha256)
                    .containsExactlyElementsOf(digests);
            for (String digest : digests) {
                assertThat(Sha256.of(Files.readAllBytes(S3.file(prefix + "/shards/" + digest + ".bin"))))
                        .isEqualTo(digest);
            }
            save("catalogue", id);
        }
    }

    private static byte[] shard(int seed, int tokens) {
        ByteBuffer bytes = ByteBuffer.allocate(1024 + 2 * tokens).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putInt(20240520).putInt(1).putInt(tokens).position(1024);
        Random random = new Random(seed);
        for (int i = 0; i < tokens; i++) {
            bytes.putShort((short) random.nextInt(50_257));
        }
        return bytes.array();
    }

    /** For {@link ReplayTest}, where {@code -Dhistories=FOLDER} says so; see {@link SaveHistories}. */
    private void save(String name, String id) throws IOException {
        String target = System.getProperty("histories", "");
        if (!target.isEmpty()) {
            Files.writeString(
                    Files.createDirectories(Path.of(target)).resolve("prepared-" + name + ".json"),
                    connection.client().fetchHistory(id).toJson(true) + "\n");
        }
    }

    private static String hash(RunRecord record) {
        return record.stage(Stage.DATASET).orElseThrow().result().get("hash").asText();
    }

    @Test
    void itIsStartedByHandByTheNameOfAPresetOrADatasetAndRefusedInOurWords() throws Exception {
        try (FaultProxy line = new FaultProxy(S3.uri())) {
            Process _ = worker("host", line);
            Map<String, Object> dataset = Map.of("url", "file:" + text, "tokenizer", "characters");
            WorkflowStub byHand = start("by-hand-" + prefix, Map.of("dataset", dataset));
            DatasetResult made = byHand.getResult(DatasetResult.class);
            assertThat(made.hash()).isEqualTo(alone(spec()).getFileName().toString());
            PreparationProgress progress = byHand.query("progress", PreparationProgress.class);
            assertThat(progress.steps())
                    .extracting(step -> step.name() + " " + step.state())
                    .containsExactly("find done", "wait done");
            save("waited", "by-hand-" + prefix);
            assertThat(connection
                            .client()
                            .newUntypedWorkflowStub(PrepareDataset.id(made.hash()))
                            .query("progress", PreparationProgress.class)
                            .steps())
                    .extracting(step -> step.name() + " " + step.state())
                    .containsExactly("find done", "divide done", "tokenize done", "join done", "finish done");
            assertThat(start("again-" + prefix, Map.of("dataset", dataset))
                            .getResult(DatasetResult.class)
                            .reused())
                    .isTrue();
            assertThat(start("preset-" + prefix, Map.of("preset", "quickstart"))
                            .getResult(DatasetResult.class)
                            .vocabulary())
                    .isEqualTo(78);

            Path lines = Files.writeString(
                    folder.resolve("lines.jsonl"), "{\"text\": \"a\"}\n".repeat(3000) + "{\"text\": 5}\n".repeat(2));
            assertRefused(
                    Map.of("dataset", Map.of("url", "file:" + lines, "format", "jsonl")),
                    "file:" + lines + ": line 3001: ");
            try (Stream<Path> left = Files.walk(S3.file(prefix))) {
                assertThat(left.filter(Files::isRegularFile))
                        .noneMatch(file -> file.toString().contains("preparing"));
            }

            assertRefused(Map.of("presett", "quickstart"), "presett: no such field; did you mean");
            assertRefused(Map.of("dataset", "x"), "dataset: \"x\", must be an object such as");
            assertRefused(Map.of("dataset", Map.of("url", "ftp://x")), "ftp");
            assertRefused(Map.of("dataset", Map.of("format", "text")), "dataset.url: missing");
            assertRefused(List.of(1), "the input is [1], must be an object such as");
        }
    }

    private void assertRefused(Object input, String words) {
        WorkflowStub execution = start("refused-" + UUID.randomUUID(), input);
        assertThatThrownBy(() -> execution.getResult(DatasetResult.class))
                .isInstanceOf(WorkflowFailedException.class)
                .cause()
                .isInstanceOfSatisfying(ApplicationFailure.class, failure -> assertThat(failure.getOriginalMessage())
                        .contains(words));
    }
}
