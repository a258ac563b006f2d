package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.notification.Webhook;
import pacer.activities.run.Home;
import pacer.activities.run.RunJson;
import pacer.activities.run.RunStatus;
import pacer.activities.run.TestRuns;
import pacer.activities.training.TrainingSettings;

/** A trainer that hangs: it is killed, the webhook hears of it at once, and training goes on. */
@Timeout(90)
class StalledRunTest {
    @TempDir
    private Path folder;

    @Test
    void theWebhookIsToldOfAStallAndThenOfTheEnd() throws Exception {
        List<JsonNode> told = new CopyOnWriteArrayList<>();
        HttpServer hook = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        hook.createContext("/", exchange -> {
            try (exchange) {
                told.add(RunJson.MAPPER.readTree(exchange.getRequestBody()));
                exchange.sendResponseHeaders(200, -1);
            }
        });
        hook.start();
        Home home = TestRuns.home(folder);
        try (Pipeline pipeline = Pipeline.open(
                home,
                TemporalAddress.embedded(),
                TestPipelines.told(impatient(home), webhook(hook.getAddress().getPort())))) {
            Path text = TestRuns.text(folder.resolve("text.txt"), 20);
            RunHandle run = pipeline.start(TestPipelines.layers(text), null, null, true);
            assertThat(run.result().status()).isEqualTo(RunStatus.FINISHED);

            assertThat(told)
                    .hasSize(2)
                    .allMatch(message -> message.path("run").asText().equals(run.id()));
            JsonNode stalled = told.getFirst();
            assertThat(stalled.path("text").asText()).startsWith("stalled: ").contains("step 14");
            assertThat(stalled.path("status").asText()).isEqualTo("running");
            assertThat(stalled.path("validationLoss").path(0).path("step").asInt())
                    .isEqualTo(10);
            assertThat(told.getLast().path("status").asText()).isEqualTo("finished");
        } finally {
            hook.stop(0);
        }
    }

    private static Webhook webhook(int port) {
        Map<String, String> environment =
                Map.of("PACER_WEBHOOK", "http://127.0.0.1:" + port + "/", "PACER_WEBHOOK_FORMAT", "json");
        return Webhook.of(environment, Map.of()).orElseThrow();
    }

    /** Whose first trainer hangs at step 15, which is noticed after some seconds. */
    private static WorkerSettings impatient(Home home) {
        WorkerSettings settings = TestPipelines.settings(home, "mishap=hang", "at=15");
        TrainingSettings usual = settings.training();
        return settings.with(new TrainingSettings(
                usual.java(),
                usual.trainer(),
                Duration.ofSeconds(1),
                usual.planning(),
                Duration.ofSeconds(3),
                usual.fruitlessAttempts(),
                usual.standby()));
    }
}
