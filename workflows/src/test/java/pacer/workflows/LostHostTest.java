package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.notification.Webhook;
import pacer.activities.run.Home;
import pacer.activities.run.OtherJvm;
import pacer.activities.run.RunJson;
import pacer.activities.run.RunStatus;
import pacer.activities.run.RunUpdate;
import pacer.activities.run.TestRuns;
import pacer.trainer.durable.Host;
import pacer.trainer.event.TrainingEvent;
import pacer.workflows.ServiceWorker.Role;

/** Runs whose host is killed for good, and runs whose host only has another training: on the real server, as its timeouts are what counts. */
@Timeout(180)
class LostHostTest {
    private static final Policies QUICK = new Policies(Duration.ofSeconds(2), Duration.ofSeconds(3));

    @RegisterExtension
    static final TemporalServer SERVER = new TemporalServer();

    @TempDir
    private Path folder;

    private Path text;
    private Home home;

    @BeforeEach
    void prepare() throws Exception {
        text = TestRuns.text(folder.resolve("text.txt"), 20);
        home = TestRuns.home(folder);
    }

    private static TemporalConnection connect() throws Exception {
        return TemporalConnection.open(TemporalAddress.find(SERVER.address(), Map.of()));
    }

    /** A host in a process of its own; its trainers wait at step 15. */
    private Process host() throws Exception {
        Files.deleteIfExists(folder.resolve("working"));
        Process process = OtherJvm.start(
                LostWorkerTest.Working.class, folder.resolve("log"), folder.toString(), SERVER.address());
        while (!Files.exists(folder.resolve("working"))) {
            assertThat(process.isAlive())
                    .as(Files.readString(folder.resolve("log")))
                    .isTrue();
            Thread.sleep(20);
        }
        return process;
    }

    private PipelineWorker control() throws Exception {
        return PipelineWorker.start(connect(), TestPipelines.settings(home, QUICK), Set.of(Role.CONTROL));
    }

    private Pipeline client() throws Exception {
        return Pipeline.with(home, connect(), TestPipelines.settings(home, QUICK), Set.of());
    }

    @Test
    void ofARunWhoseHostIsGoneTheWebhookIsToldByWhoDecides() throws Exception {
        List<JsonNode> received = new CopyOnWriteArrayList<>();
        HttpServer webhook = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        webhook.createContext("/", exchange -> {
            try (exchange) {
                received.add(RunJson.MAPPER.readTree(exchange.getRequestBody()));
                exchange.sendResponseHeaders(200, -1);
            }
        });
        webhook.start();
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
        Process host = host();
        try (PipelineWorker _ = PipelineWorker.start(
                        connect(),
                        TestPipelines.told(
                                TestPipelines.settings(TestRuns.home(folder.resolve("control")), QUICK), told),
                        Set.of(Role.CONTROL));
                Pipeline client = client()) {
            RunHandle run = client.start(TestPipelines.layers(text), null, null, true);
            PipelineOutcome outcome = run.follow(update -> {
                if (isAtStep14(update)) {
                    host.destroyForcibly();
                }
            });

            assertThat(outcome.status()).isEqualTo(RunStatus.FAILED);
            keep("lost-host-told", run);
            assertThat(received).hasSize(1);
            JsonNode one = received.getFirst();
            assertThat(one.path("run").asText()).isEqualTo(run.id());
            assertThat(one.path("status").asText()).isEqualTo("failed");
            assertThat(one.path("text").asText()).startsWith("failed: host " + Host.name() + " does not answer");
            assertThat(one.path("validationLoss").size()).isPositive();
            assertThat(one.path("links").path("Temporal").asText()).endsWith("/workflows/" + run.id());
        } finally {
            host.destroyForcibly().waitFor();
            webhook.stop(0);
        }
    }

    private static void keep(String name, RunHandle run) throws Exception {
        try (TemporalConnection connection = connect()) {
            SaveHistories.keep(name, connection, run.id());
        }
    }

    private static boolean isAtStep14(RunUpdate update) {
        return update instanceof RunUpdate.Advanced(var progress) && progress.step() != null && progress.step() >= 10;
    }

    @Test
    void aRunWhoseHostIsGoneFailsAndSaysWhatToDo() throws Exception {
        Process host = host();
        try (PipelineWorker _ = control();
                Pipeline client = client()) {
            RunHandle run = client.start(TestPipelines.layers(text), null, null, true);
            PipelineOutcome outcome = run.follow(update -> {
                if (isAtStep14(update)) {
                    host.destroyForcibly();
                }
            });

            assertThat(outcome.status()).isEqualTo(RunStatus.FAILED);
            assertThat(outcome.reason())
                    .startsWith(
                            "host " + Host.name() + " does not answer, and has not begun in time (PACER_HOST_TIMEOUT)")
                    .contains("pacer resume with the run's whole id");
            assertThat(SERVER.temporal("workflow", "describe", "-w", run.id())).contains("FAILED");
            keep("lost-host", run);
        } finally {
            host.destroyForcibly().waitFor();
        }
    }

    @Test
    void aRunThatIsStoppedWhileItsHostIsGoneEndsAsStopped() throws Exception {
        Process host = host();
        try (PipelineWorker _ = control();
                Pipeline client = client()) {
            RunHandle run = client.start(TestPipelines.layers(text), null, null, true);
            PipelineOutcome outcome = run.follow(update -> {
                if (isAtStep14(update) && host.isAlive()) {
                    host.destroyForcibly();
                    run.stop();
                }
            });

            assertThat(outcome.status()).isEqualTo(RunStatus.STOPPED);
        } finally {
            host.destroyForcibly().waitFor();
        }
    }

    @Test
    void aRunWaitsForTheSlotOfAHostThatAnswersForLongerThanTheLimit() throws Exception {
        try (PipelineWorker _ = control();
                Pipeline host = Pipeline.with(
                        home,
                        connect(),
                        TestPipelines.settings(home, QUICK, "mishap=hold", "at=15"),
                        Set.of(Role.HOST))) {
            RunHandle first = host.start(TestPipelines.layers(text), null, null, true);
            RunHandle[] second = new RunHandle[1];
            List<PipelineOutcome> outcomes = new ArrayList<>();
            outcomes.add(first.follow(update -> {
                if (second[0] == null
                        && update instanceof RunUpdate.Trained(TrainingEvent.Step step)
                        && step.step() == 14) {
                    second[0] = startSecond(host);
                    awaitQuestion(second[0].id());
                    goOn(first);
                    goOn(second[0]);
                }
            }));
            outcomes.add(second[0].result());
            keep("waited-for-slot", second[0]);

            assertThat(outcomes).extracting(PipelineOutcome::status).containsOnly(RunStatus.FINISHED);
            assertThat(SERVER.temporal("workflow", "show", "-w", second[0].id(), "-o", "json"))
                    .contains(
                            "AnswerForHost",
                            "\"" + TaskQueues.alive(Host.name()) + "\"",
                            "TIMEOUT_TYPE_SCHEDULE_TO_START");
        }
    }

    private RunHandle startSecond(Pipeline host) {
        try {
            return host.start(TestPipelines.layers(text, "seed=2"), null, null, true);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** Until the host was asked whether it is there. */
    private static void awaitQuestion(String run) {
        try {
            while (!SERVER.temporal("workflow", "show", "-w", run, "-o", "json").contains("AnswerForHost")) {
                Thread.sleep(200);
            }
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private void goOn(RunHandle run) {
        try {
            Files.writeString(home.run(run.id()).path().resolve("go"), "");
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
