package pacer.activities.tracking;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import pacer.activities.process.Ports;
import pacer.activities.run.RunJson;
import pacer.trainer.durable.DurableFiles;

/**
 * A real tracking server for the tests of a class: {@code mlflow} in the folder that the system property {@code pacer.stack} names, which
 * {@code infra/local/install} fills. Without the property the tests are left out.
 */
public final class MlflowForTests implements BeforeAllCallback, AfterAllCallback {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private Path folder;
    private int port;
    private Process process;

    @Override
    public void beforeAll(ExtensionContext context) throws Exception {
        Assumptions.assumeTrue(
                System.getProperty("pacer.stack") != null, "no MLflow server: give its folder, -Dpacer.stack=…");
        folder = Files.createTempDirectory("pacer-mlflow");
        Ports.race(() -> {
            port = Ports.free();
            start();
        });
    }

    @Override
    public void afterAll(ExtensionContext context) throws IOException, InterruptedException {
        if (process != null) {
            kill();
            DurableFiles.deleteTree(folder);
        }
    }

    /** Starts it, or starts it again on the same data; returns when it answers. */
    public void start() throws IOException, InterruptedException {
        Path program = Path.of(System.getProperty("pacer.stack"), "mlflow");
        ProcessBuilder server = new ProcessBuilder(
                program.toString(),
                "server",
                "--backend-store-uri",
                "sqlite:///" + folder.resolve("mlflow.db"),
                "--artifacts-destination",
                folder.resolve("artifacts").toString(),
                "--host",
                "127.0.0.1",
                "--port",
                Integer.toString(port),
                "--workers",
                "1");
        server.environment().put("MLFLOW_DISABLE_TELEMETRY", "true");
        process = server.redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(folder.resolve("log").toFile()))
                .start();
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!answers()) {
            if (!process.isAlive() || System.nanoTime() > deadline) {
                kill();
                throw new IOException("MLflow does not answer; see " + folder.resolve("log"));
            }
            Thread.sleep(100);
        }
    }

    private boolean answers() throws InterruptedException {
        try {
            return http.send(HttpRequest.newBuilder(URI.create(uri() + "/health")).build(), HttpResponse.BodyHandlers.discarding())
                            .statusCode()
                    == 200;
        } catch (IOException e) {
            return false;
        }
    }

    /** SIGKILL, to the server and all that it started. */
    public void kill() throws InterruptedException {
        List<ProcessHandle> all = new ArrayList<>(process.descendants().toList());
        all.add(process.toHandle());
        all.forEach(ProcessHandle::destroyForcibly);
        process.waitFor();
        all.forEach(one -> one.onExit().join());
    }

    /** The folder in which it keeps artifacts; it makes it when it needs it. */
    public Path artifacts() {
        return folder.resolve("artifacts");
    }

    public URI uri() {
        return URI.create("http://127.0.0.1:" + port);
    }

    /** Settings of a worker that sends to this server, by way of {@code address}. */
    public TrackingSettings settings(URI address) {
        return settings(address, address);
    }

    /** The same with another address of it for people. */
    public TrackingSettings settings(URI address, URI pages) {
        return new TrackingSettings(
                address,
                pages,
                null,
                null,
                null,
                "tests",
                URI.create("http://localhost:8233/namespaces/default/workflows"),
                Duration.ofMillis(50),
                Duration.ofMillis(200),
                Duration.ofSeconds(20));
    }

    public TrackingSettings settings() {
        return settings(uri());
    }

    public JsonNode get(String path, String... query) throws IOException, InterruptedException {
        StringBuilder address = new StringBuilder(uri() + "/api/2.0/mlflow/" + path + "?");
        for (int i = 0; i < query.length; i += 2) {
            address.append(query[i]).append('=').append(URLEncoder.encode(query[i + 1], StandardCharsets.UTF_8)).append('&');
        }
        return json(HttpRequest.newBuilder(URI.create(address.toString())));
    }

    public JsonNode post(String path, Object body) throws IOException, InterruptedException {
        return json(HttpRequest.newBuilder(URI.create(uri() + "/api/2.0/mlflow/" + path))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(RunJson.MAPPER.writeValueAsString(body))));
    }

    private JsonNode json(HttpRequest.Builder request) throws IOException, InterruptedException {
        HttpResponse<String> answer = http.send(request.build(), HttpResponse.BodyHandlers.ofString());
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        return RunJson.MAPPER.readTree(answer.body());
    }

    /** A run's or model's artifact. */
    public String artifact(String artifactUri, String name) throws IOException, InterruptedException {
        URI address = URI.create(uri() + "/api/2.0/mlflow-artifacts/artifacts"
                + URI.create(artifactUri).getPath() + "/" + name);
        HttpResponse<String> answer =
                http.send(HttpRequest.newBuilder(address).build(), HttpResponse.BodyHandlers.ofString());
        assertThat(answer.statusCode()).as(name).isEqualTo(200);
        return answer.body();
    }

    /** The runs that bear the tag of the pacer run {@code id}. */
    public List<JsonNode> runs(String id) throws IOException, InterruptedException {
        JsonNode experiments = post("experiments/search", Map.of("max_results", 10));
        List<String> ids = new ArrayList<>();
        experiments.path("experiments").forEach(e -> ids.add(e.path("experiment_id").asText()));
        List<JsonNode> found = new ArrayList<>();
        post("runs/search", Map.of("experiment_ids", ids, "filter", "tags.`pacer.run` = '" + id + "'"))
                .path("runs")
                .forEach(found::add);
        return found;
    }

    /** All points of a metric as {@code step@time=value}, in no order. */
    public List<String> points(String run, String key) throws IOException, InterruptedException {
        List<String> points = new ArrayList<>();
        String token = "";
        do {
            JsonNode page = get(
                    "metrics/get-history", "run_id", run, "metric_key", key, "max_results", "20000", "page_token", token);
            page.path("metrics")
                    .forEach(point -> points.add(point.path("step").asLong() + "@"
                            + point.path("timestamp").asLong() + "=" + point.path("value").asDouble()));
            token = page.path("next_page_token").asText("");
        } while (!token.isEmpty());
        return points;
    }
}
