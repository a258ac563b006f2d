package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.temporal.api.history.v1.HistoryEvent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.Home;
import pacer.activities.run.OtherJvm;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunStatus;
import pacer.activities.run.TestRuns;
import pacer.workflows.ServiceWorker.Role;

/** Two hosts with names and folders of their own and no store between them, on the real server. Their trainers wait at step 15. */
@Timeout(180)
class SeveralHostsTest {
    private static final Policies QUICK = new Policies(Duration.ofSeconds(5), Duration.ofSeconds(5));

    @RegisterExtension
    static final TemporalServer SERVER = new TemporalServer();

    @TempDir
    private Path folder;

    private final Map<String, Process> hosts = new LinkedHashMap<>();
    private Path text;
    private PipelineWorker control;

    @BeforeEach
    void begin() throws Exception {
        assumeTrue("root".equals(System.getProperty("user.name")), "only root may name a host");
        text = TestRuns.text(folder.resolve("text.txt"), 20);
        Home nowhere = TestRuns.home(folder.resolve("control"));
        control = PipelineWorker.start(SERVER.connect(), TestPipelines.settings(nowhere, QUICK), Set.of(Role.CONTROL));
        host("host-a");
    }

    @AfterEach
    void end() throws Exception {
        for (Process host : hosts.values()) {
            host.destroyForcibly().waitFor();
        }
        if (control != null) {
            control.close();
        }
    }

    private void host(String name) throws Exception {
        Path its = Files.createDirectories(folder.resolve(name));
        hosts.put(
                name,
                OtherJvm.startOn(
                        name, LostWorkerTest.Working.class, its.resolve("log"), its.toString(), SERVER.address()));
        while (!Files.exists(its.resolve("working"))) {
            assertThat(hosts.get(name).isAlive())
                    .as(Files.readString(its.resolve("log")))
                    .isTrue();
            Thread.sleep(20);
        }
    }

    private void end(String name) throws Exception {
        hosts.get(name).destroyForcibly().waitFor();
    }

    private Home home(String host) {
        return TestRuns.home(folder.resolve(host));
    }

    /** Of somebody who sees the runs of host a. */
    private Pipeline client() throws Exception {
        Home home = home("host-a");
        return Pipeline.with(home, SERVER.connect(), TestPipelines.settings(home, QUICK), Set.of());
    }

    /** A run of host a that was stopped at step 15, and a second host that is quicker to take what any may take, as it has nothing else to do. */
    private String stopped() throws Exception {
        try (Pipeline client = client()) {
            RunHandle run = client.start(TestPipelines.layers(text), null, null, true);
            while (!LostWorkerTest.waitsAtStep14(home("host-a"), run)) {
                Thread.sleep(50);
            }
            run.stop();
            assertThat(run.result().status()).isEqualTo(RunStatus.STOPPED);
            host("host-b");
            return run.id();
        }
    }

    private static void goOn(RunFolder run) throws Exception {
        Files.writeString(run.path().resolve("go"), "");
    }

    /** Queues of what the run's workflow asked for, in its newest execution. */
    private static String history(String run) throws Exception {
        return SERVER.temporal("workflow", "show", "-w", run, "-o", "json");
    }

    /** Queues that the run's workflow asked for an activity of {@code type} at, in its newest execution. */
    private static List<String> queues(TemporalConnection connection, String run, String type) {
        return connection.client().fetchHistory(run).getEvents().stream()
                .filter(HistoryEvent::hasActivityTaskScheduledEventAttributes)
                .map(HistoryEvent::getActivityTaskScheduledEventAttributes)
                .filter(scheduled -> scheduled.getActivityType().getName().equals(type))
                .map(scheduled -> scheduled.getTaskQueue().getName())
                .toList();
    }

    @Test
    void aRunIsGoneOnWithWhereItsFolderIs() throws Exception {
        String id = stopped();
        RunFolder there = home("host-a").run(id);
        goOn(there);
        try (Pipeline client = client();
                TemporalConnection connection = SERVER.connect()) {
            PipelineOutcome outcome = client.resume(id, null, null).result();

            assertThat(outcome.status()).as(outcome.reason()).isEqualTo(RunStatus.FINISHED);
            assertThat(queues(connection, id, "OpenRun")).containsExactly("data-host-a");
            assertThat(history(id)).doesNotContain("\"data-host-b\"");
            SaveHistories.keep("opened-where-it-is", connection, id);
        }
        assertThat(there.read().environment().host()).isEqualTo("host-a");
        assertThat(home("host-b").run(id).path()).doesNotExist();
    }

    @Test
    void theSameSettingsGoOnWithTheRunWhereItsFolderIs() throws Exception {
        String id = stopped();
        goOn(home("host-a").run(id));
        try (Pipeline client = client()) {
            RunHandle run = client.start(TestPipelines.layers(text), null, null, false);

            assertThat(run.id()).isEqualTo(id);
            assertThat(run.result().status()).isEqualTo(RunStatus.FINISHED);
        }
        assertThat(home("host-b").run(id).path()).doesNotExist();
    }

    @Test
    void aRunWhoseHostIsAwayIsBegunAnewNowhere() throws Exception {
        String id = stopped();
        end("host-a");
        try (Pipeline client = client();
                TemporalConnection connection = SERVER.connect()) {
            PipelineOutcome outcome =
                    client.start(TestPipelines.layers(text), null, null, false).result();

            assertThat(outcome.status()).isEqualTo(RunStatus.FAILED);
            assertThat(outcome.reason())
                    .startsWith("host host-a, which has the folder of run " + id + ", did not open it, and ")
                    .endsWith("start the worker of host host-a and resume the run");
            SaveHistories.keep("host-away", connection, id);
        }
        assertThat(home("host-b").run(id).path()).doesNotExist();
        assertThat(home("host-a").run(id).read().status()).isEqualTo(RunStatus.STOPPED);
    }
}
