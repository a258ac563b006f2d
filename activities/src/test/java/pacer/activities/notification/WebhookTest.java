package pacer.activities.notification;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import pacer.activities.reproduction.Reproduction;
import pacer.activities.run.BadInputException;
import pacer.activities.run.Home;
import pacer.activities.run.RunEnding;
import pacer.activities.run.RunHub;
import pacer.activities.run.RunJson;
import pacer.activities.run.RunStatus;
import pacer.activities.run.RunUpdate;
import pacer.activities.run.TestRuns;

class WebhookTest {
    @TempDir
    private Path folder;

    private final List<JsonNode> received = new CopyOnWriteArrayList<>();
    private final List<Integer> answers = new ArrayList<>(); // statuses of the next answers; then 200
    private HttpServer server;
    private Home home;
    private String run;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/secret", exchange -> {
            try (exchange) {
                received.add(RunJson.MAPPER.readTree(exchange.getRequestBody()));
                exchange.sendResponseHeaders(answers.isEmpty() ? 200 : answers.removeFirst(), -1);
            }
        });
        server.start();
        home = TestRuns.home(folder);
        run = TestRuns.open(home, new RunHub(), TestRuns.text(folder.resolve("text.txt"), 5))
                .run();
        Files.writeString(home.run(run).events(), """
                {"event":"validated","time":"2026-01-01T00:00:00Z","step":10,"loss":2.5,"tokens":64,"best":true}
                {"event":"validated","time":"2026-01-01T00:00:01Z","step":20,"loss":2.25,"tokens":64,"best":true}
                """, StandardCharsets.UTF_8);
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private Map<String, String> environment(String format) {
        return Map.of(
                "PACER_WEBHOOK",
                "http://127.0.0.1:" + server.getAddress().getPort() + "/secret",
                "PACER_WEBHOOK_FORMAT",
                format);
    }

    private Notifier notifier(String format, RunHub hub) {
        return notifier(format, folder -> Map.of(), hub);
    }

    private Notifier notifier(String format, Notifier.Pages pages, RunHub hub) {
        Map<String, String> links = Map.of("MLflow", "http://localhost:5000");
        return new Notifier(Webhook.of(environment(format), links), pages, home, hub);
    }

    @Test
    void aFailedRunIsToldWithReasonCurveAndLinks() throws IOException {
        RunEnding failed = new RunEnding(run, RunStatus.FAILED, "the disk is full <now>");
        TestRuns.runs(home, new RunHub()).close(failed);
        notifier("slack", new RunHub()).closed(failed);
        assertThat(received).hasSize(1);
        assertThat(received.getFirst().path("text").asText())
                .contains("*" + run + "*", "failed: the disk is full &lt;now&gt;", "10: 2.5000  20: 2.2500")
                .endsWith("<http://localhost:5000|MLflow>");
    }

    @Test
    void asJsonItHasEachFieldByName() throws IOException {
        RunEnding over = new RunEnding(run, RunStatus.STOPPED, "over budget, 2 h; more time goes on");
        TestRuns.runs(home, new RunHub()).close(over);
        notifier("json", new RunHub()).closed(over);
        JsonNode told = received.getFirst();
        assertThat(told.path("run").asText()).isEqualTo(run);
        assertThat(told.path("status").asText()).isEqualTo("stopped");
        assertThat(told.path("text").asText()).contains("over budget, 2 h");
        assertThat(told.path("validationLoss").path(1).path("loss").asDouble()).isEqualTo(2.25);
        assertThat(told.path("links").path("MLflow").asText()).isEqualTo("http://localhost:5000");
    }

    @Test
    void aRunsOwnPagesTakeThePlaceOfThoseThatAllRunsAreOn() throws IOException {
        RunEnding failed = new RunEnding(run, RunStatus.FAILED, "the disk is full");
        TestRuns.runs(home, new RunHub()).close(failed);
        String page = "http://localhost:5000/#/experiments/1/runs/2";
        notifier("json", folder -> Map.of("MLflow run", page), new RunHub()).closed(failed);
        assertThat(received.getFirst().path("links").properties())
                .singleElement()
                .satisfies(link -> {
                    assertThat(link.getKey()).isEqualTo("MLflow run");
                    assertThat(link.getValue().asText()).isEqualTo(page);
                });
    }

    private Reproduction reproduction(Boolean passed, Double drift, String text) {
        return new Reproduction(
                run, passed, 1.6801, 1.69, 64_000, 3, drift, 0, "abc0123456", Instant.EPOCH, 1.02, text);
    }

    @Test
    void aReproductionIsToldWithVerdictDriftSinceWhenAndLinks() {
        notifier("slack", folder -> Map.of("Temporal", "http://ui/runs/1"), new RunHub())
                .reproduced(
                        reproduction(
                                true,
                                0.0012,
                                "within 1.69; another loss since 2026-11-20, commit abc0123456; before it was 1.6789, at def"),
                        Map.of("Reproduction", "http://ui/nightly-1"));
        assertThat(received).hasSize(1);
        assertThat(received.getFirst().path("text").asText())
                .contains(
                        "*" + run
                                + "* reproduction of quickstart passed: within 1.69; another loss since 2026-11-20, commit abc0123456",
                        "drift of the loss +0.0012 from the one before, of 3",
                        "10: 2.5000  20: 2.2500",
                        "<http://ui/nightly-1|Reproduction>",
                        "<http://ui/runs/1|Temporal>");
    }

    @Test
    void aReproductionHasItsFieldsByName() {
        notifier("json", new RunHub()).reproduced(reproduction(false, null, "1.7001, above 1.69"), Map.of());
        JsonNode told = received.getFirst();
        assertThat(told.path("text").asText()).isEqualTo("reproduction of quickstart missed: 1.7001, above 1.69");
        assertThat(told.path("reproduction").path("passed").asBoolean(true)).isFalse();
        assertThat(told.path("reproduction").path("changedAt").asText()).isEqualTo("abc0123456");
        assertThat(told.path("reproduction").path("earlier").asInt()).isEqualTo(3);
        assertThat(told.path("run").asText()).isEqualTo(run);
    }

    @Test
    void whoStoppedARunKnows() {
        notifier("json", new RunHub()).closed(new RunEnding(run, RunStatus.STOPPED, "stopped on request"));
        assertThat(received).isEmpty();
    }

    @Test
    void anAnswerThatIsNoneIsTriedAgain() {
        answers.addAll(List.of(500, 503));
        notifier("json", new RunHub()).closed(new RunEnding(run, RunStatus.FINISHED, null));
        assertThat(received).hasSize(3);
    }

    @Test
    void aWebhookThatRefusesIsSaidWithoutItsSecret() {
        answers.addAll(List.of(404, 404, 404));
        RunHub hub = new RunHub();
        List<RunUpdate> told = new CopyOnWriteArrayList<>();
        hub.followAll((id, update) -> told.add(update));
        notifier("json", hub).closed(new RunEnding(run, RunStatus.FINISHED, null));
        assertThat(told).singleElement().isInstanceOfSatisfying(RunUpdate.Notice.class, notice -> assertThat(
                        notice.text())
                .contains("webhook at 127.0.0.1", "status 404", "nobody was told")
                .doesNotContain("secret"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://example.com/x",
                "ftp://localhost/x",
                "https://me:secret@example.com/x",
                "no address",
                "https:///x",
                "file:/etc/passwd"
            })
    void whatIsNoAddressForASecretIsRefused(String address) {
        assertThatThrownBy(() -> Webhook.of(Map.of("PACER_WEBHOOK", address), Map.of()))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("PACER_WEBHOOK")
                .hasMessageNotContaining(address);
    }

    @Test
    void withoutAnAddressThereIsNone() {
        assertThat(Webhook.of(Map.of(), Map.of())).isEqualTo(Optional.empty());
    }
}
