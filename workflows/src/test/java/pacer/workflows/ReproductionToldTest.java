package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import io.temporal.client.WorkflowOptions;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.notification.Webhook;
import pacer.activities.reproduction.Reproduction;
import pacer.activities.run.Home;
import pacer.activities.run.RunJson;
import pacer.activities.run.TestRuns;
import pacer.workflows.ServiceWorker.Role;

/** What a webhook hears of reproductions on a real Temporal. */
@Timeout(120)
class ReproductionToldTest {
    @RegisterExtension
    static final TemporalServer SERVER = new TemporalServer();

    @TempDir
    private Path folder;

    @Test
    void eachNightIsToldBesideTheOneBefore() throws Exception {
        List<JsonNode> received = new CopyOnWriteArrayList<>();
        HttpServer webhook = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        webhook.createContext("/", exchange -> {
            try (exchange) {
                received.add(RunJson.MAPPER.readTree(exchange.getRequestBody()));
                exchange.sendResponseHeaders(200, -1);
            }
        });
        webhook.start();
        Home home = TestRuns.home(folder);
        Webhook told = Webhook.of(
                        Map.of(
                                "PACER_WEBHOOK",
                                "http://127.0.0.1:" + webhook.getAddress().getPort() + "/",
                                "PACER_WEBHOOK_FORMAT",
                                "json",
                                "PACER_TEMPORAL_UI",
                                SERVER.uiAddress()),
                        Map.of())
                .orElseThrow();
        SpecLayers layers =
                TestPipelines.layers(TestRuns.text(folder.resolve("text.txt"), 20), "expectation.validationLoss=100");
        try (TemporalConnection connection = SERVER.connect();
                PipelineWorker _ = PipelineWorker.start(
                        connection,
                        TestPipelines.told(TestPipelines.settings(home), told),
                        EnumSet.allOf(Role.class))) {
            reproduce(connection, layers, "night-1");
            Reproduction second = reproduce(connection, layers, "night-2");

            assertThat(received).as("of each the run, then the comparison").hasSize(4);
            assertThat(received.get(0).has("reproduction")).isFalse();
            assertThat(received.get(1).path("text").asText())
                    .startsWith("reproduction of quickstart passed: ")
                    .contains("the first of its settings on this host");
            JsonNode last = received.getLast();
            assertThat(last.path("text").asText())
                    .contains(
                            "the same to the last bit as the one before",
                            "drift of the loss +0.0000 from the one before, of 1");
            assertThat(last.path("reproduction").path("run").asText())
                    .isEqualTo(second.run())
                    .isEqualTo(last.path("run").asText());
            assertThat(last.path("links").path("Reproduction").asText())
                    .isEqualTo(SERVER.uiAddress() + "/namespaces/default/workflows/night-2");
            assertThat(last.path("links").path("Temporal").asText()).endsWith("/workflows/night-2-run");
        } finally {
            webhook.stop(0);
        }
    }

    private static Reproduction reproduce(TemporalConnection connection, SpecLayers layers, String id) {
        return connection
                .client()
                .newWorkflowStub(
                        Reproduce.class,
                        WorkflowOptions.newBuilder()
                                .setWorkflowId(id)
                                .setTaskQueue(TaskQueues.CONTROL)
                                .build())
                .run(layers.reproduction());
    }
}
