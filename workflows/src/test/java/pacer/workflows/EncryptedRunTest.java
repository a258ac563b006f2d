package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.BadInputException;
import pacer.activities.run.Home;
import pacer.activities.run.RunJson;
import pacer.activities.run.RunStatus;
import pacer.activities.run.RunUpdate;
import pacer.activities.run.TestRuns;
import pacer.trainer.event.TrainingEvent;
import pacer.workflows.ServiceWorker.Role;
import pacer.workflows.codec.CodecEndpoint;
import pacer.workflows.codec.NewKey;
import pacer.workflows.codec.PayloadKeys;

/** What the real Temporal server gets to see of runs whose payloads are encrypted. */
@Timeout(180)
class EncryptedRunTest {
    private static final String NOTE = "nobody else is to read this note";
    private static final Set<Role> ALL = EnumSet.allOf(Role.class);

    @RegisterExtension
    static final TemporalServer SERVER = new TemporalServer();

    @TempDir
    private Path folder;

    private Path keys;
    private Path text;
    private Home home;

    @BeforeEach
    void prepare() throws IOException {
        keys = folder.resolve("keys");
        NewKey.add(keys, LocalDate.of(2026, 11, 23));
        text = TestRuns.text(folder.resolve("a-secret-text.txt"), 20);
        home = TestRuns.home(folder);
    }

    private TemporalConnection connect(Path keyFile) throws IOException {
        Map<String, String> environment = new HashMap<>();
        if (keyFile != null) {
            environment.put(PayloadKeys.VARIABLE, keyFile.toString());
        }
        return TemporalConnection.open(TemporalAddress.find(SERVER.address(), environment));
    }

    private Pipeline pipeline(TemporalConnection connection, Set<Role> roles, String... properties) {
        return Pipeline.with(home, connection, TestPipelines.settings(home, properties), roles);
    }

    /** The run's id. */
    private String ran(Path keyFile, RunStatus status, String... properties) throws IOException, InterruptedException {
        try (Pipeline pipeline = pipeline(connect(keyFile), ALL, properties)) {
            RunHandle run = pipeline.start(TestPipelines.layers(text), NOTE, null, true);
            assertThat(run.result().status()).isEqualTo(status);
            return run.id();
        }
    }

    /** All that the service tells of a run, with the data of its payloads. */
    private static String seen(String run) throws IOException, InterruptedException {
        String workflow = "/api/v1/namespaces/default/workflows/" + run;
        StringBuilder all = new StringBuilder();
        for (String answer : List.of(
                SERVER.temporal("workflow", "show", "-w", run, "-o", "json"),
                SERVER.temporal("workflow", "describe", "-w", run, "-o", "json"),
                SERVER.ui(workflow + "/history"),
                SERVER.ui(workflow))) {
            all.append(readable(answer));
        }
        return all.toString();
    }

    /** JSON with the data of its payloads as text behind it. */
    private static String readable(String json) throws IOException {
        StringBuilder all = new StringBuilder(json);
        for (JsonNode payload : payloads(RunJson.MAPPER.readTree(json))) {
            byte[] data = Base64.getDecoder().decode(payload.path("data").asText());
            all.append('\n').append(new String(data, StandardCharsets.UTF_8));
        }
        return all.toString();
    }

    private static List<JsonNode> payloads(JsonNode json) {
        List<JsonNode> found = new ArrayList<>();
        json.findParents("metadata").stream()
                .filter(node -> node.path("metadata").has("encoding"))
                .forEach(found::add);
        return found;
    }

    @Test
    void theServiceReadsNothingOfARunAndTheEndpointAll() throws Exception {
        List<String> secrets = List.of(NOTE, "a-secret-text.txt", "warmupSteps", "bestCheckpoint");
        assertThat(seen(ran(null, RunStatus.FINISHED)))
                .as("what it reads without a key")
                .contains(secrets);

        String run = ran(keys, RunStatus.FINISHED);
        assertThat(seen(run)).doesNotContain(secrets);

        String origin = "http://127.0.0.1:8233";
        try (CodecEndpoint codec = CodecEndpoint.serve(
                "0", Set.of(origin), PayloadKeys.of(Map.of(PayloadKeys.VARIABLE, keys.toString())))) {
            // as the UI asks, with what its own server tells it
            JsonNode history =
                    RunJson.MAPPER.readTree(SERVER.ui("/api/v1/namespaces/default/workflows/" + run + "/history"));
            String answer = decode(codec, payloads(history), origin);
            assertThat(answer).contains(secrets);
            // and as Temporal's command line does
            assertThat(readable(SERVER.temporal(
                            "workflow", "show", "-w", run, "-o", "json", "--codec-endpoint", codec.url())))
                    .contains(secrets);
        }
    }

    private static String decode(CodecEndpoint codec, List<JsonNode> payloads, String origin)
            throws IOException, InterruptedException {
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpResponse<String> answer = client.send(
                    HttpRequest.newBuilder(URI.create(codec.url() + "/decode"))
                            .header("Content-Type", "application/json")
                            .header("Origin", origin)
                            .header("X-Namespace", "default")
                            .POST(HttpRequest.BodyPublishers.ofString(
                                    RunJson.MAPPER.writeValueAsString(Map.of("payloads", payloads))))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
            assertThat(answer.headers().firstValue("Access-Control-Allow-Origin"))
                    .contains(origin);
            return readable(answer.body());
        }
    }

    @Test
    void whyARunFailedIsEncryptedToo() throws Exception {
        String reason = "must be a multiple of heads";
        assertThat(seen(ran(null, RunStatus.FAILED, "refuse=true"))).contains(reason);

        String run = ran(keys, RunStatus.FAILED, "refuse=true");

        assertThat(seen(run))
                .doesNotContain(reason)
                .doesNotContain("pacer.activities.process")
                .contains("Encoded failure");
    }

    @Test
    void aRunOnWorkersWithoutItsKeyFailsAtOnceAndSaysWhatIsMissing() throws Exception {
        List<String> told = new CopyOnWriteArrayList<>();
        TemporalConnection without = connect(null);
        without.onUnreadable(told::add);
        try (Pipeline _ = pipeline(without, ALL);
                Pipeline client = pipeline(connect(keys), Set.of())) {
            PipelineOutcome outcome =
                    client.start(TestPipelines.layers(text), NOTE, null, true).result();

            assertThat(outcome.status()).isEqualTo(RunStatus.FAILED);
            assertThat(outcome.reason())
                    .isEqualTo("a payload is encrypted with key 2026-11-23, unknown to this process, which has none; "
                            + "add that key's line to the file that PACER_PAYLOAD_KEYS names, and start again");
            assertThat(told).containsExactly(outcome.reason());
        }
    }

    @Test
    void aClientWithoutTheKeySaysWhatIsMissing() throws Exception {
        try (Pipeline _ = pipeline(connect(keys), ALL);
                Pipeline client = pipeline(connect(null), Set.of())) {
            RunHandle run = client.start(TestPipelines.layers(text), NOTE, null, true);
            assertThatThrownBy(run::result)
                    .isInstanceOf(BadInputException.class)
                    .hasMessageStartingWith("a payload is encrypted with key 2026-11-23, unknown to this process");
        }
    }

    @Test
    void aRunInProgressOutlivesAWorkerWithoutItsKey() throws Exception {
        List<String> told = new CopyOnWriteArrayList<>();
        TemporalConnection without = connect(null);
        without.onUnreadable(told::add);
        try (Pipeline host = pipeline(connect(keys), Set.of(Role.HOST), "mishap=hold", "at=15")) {
            PipelineWorker[] control = {start(connect(keys))};
            RunHandle run = host.start(TestPipelines.layers(text), NOTE, null, true);
            PipelineOutcome outcome = run.follow(update -> {
                if (update instanceof RunUpdate.Trained(TrainingEvent.Step step) && step.step() == 14) {
                    control[0].close();
                    control[0] = start(without);
                    goOn(run);
                    await(told);
                    control[0].close();
                    control[0] = startWithKey();
                }
            });
            control[0].close();

            assertThat(told).hasSize(1);
            assertThat(outcome.status()).isEqualTo(RunStatus.FINISHED);
        }
    }

    private PipelineWorker startWithKey() {
        try {
            return start(connect(keys));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private PipelineWorker start(TemporalConnection connection) {
        return PipelineWorker.start(connection, TestPipelines.settings(home), Set.of(Role.CONTROL));
    }

    private void goOn(RunHandle run) {
        try {
            Files.writeString(home.run(run.id()).path().resolve("go"), "");
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void await(List<String> told) {
        try {
            for (int i = 0; told.isEmpty() && i < 600; i++) {
                Thread.sleep(50);
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
