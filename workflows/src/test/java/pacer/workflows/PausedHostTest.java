package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import io.temporal.client.WorkflowStub;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.Home;
import pacer.activities.run.OtherJvm;
import pacer.activities.run.RunStatus;
import pacer.activities.run.TestRuns;

/** A host that dies while it is asked to pause: the run waits, and goes on where another worker of that host is. */
@Timeout(120)
class PausedHostTest {
    private static final Policies QUICK = new Policies(Duration.ofSeconds(3));

    @RegisterExtension
    static final TemporalServer TEMPORAL = new TemporalServer();

    @TempDir
    private Path folder;

    @Test
    void aHostThatDiesWhileItPausesFailsNoRun() throws Exception {
        Home home = TestRuns.home(folder);
        Process first = worker();
        Process second = null;
        Home elsewhere = TestRuns.home(folder.resolve("elsewhere"));
        try (TemporalConnection connection = TEMPORAL.connect();
                PipelineWorker _ = PipelineWorker.start(
                        connection, TestPipelines.settings(elsewhere, QUICK), Set.of(ServiceWorker.Role.CONTROL));
                Pipeline client =
                        Pipeline.with(home, TEMPORAL.connect(), TestPipelines.settings(home, QUICK), Set.of())) {
            while (!Files.exists(folder.resolve("working"))) {
                assertThat(first.isAlive())
                        .as(Files.readString(folder.resolve("log")))
                        .isTrue();
                Thread.sleep(20);
            }
            RunHandle run = client.start(
                    TestPipelines.layers(TestRuns.text(folder.resolve("text.txt"), 20)), null, null, false);
            while (!LostWorkerTest.waitsAtStep14(home, run)) {
                Thread.sleep(20);
            }
            WorkflowStub workflow = connection.client().newUntypedWorkflowStub(run.id());
            new ProcessBuilder("kill", "-STOP", Long.toString(first.pid()))
                    .start()
                    .waitFor();
            CompletableFuture<String> paused =
                    CompletableFuture.supplyAsync(() -> workflow.update("pause", String.class));
            Thread.sleep(1000); // asked, and not heard
            first.destroyForcibly().waitFor();
            assertThat(paused.get(60, TimeUnit.SECONDS))
                    .startsWith("paused; its host ended the attempt without a checkpoint");
            assertThat(home.run(run.id()).read().status()).isEqualTo(RunStatus.RUNNING);

            second = worker();
            workflow.update("resume", String.class);
            assertThat(run.result().status()).isEqualTo(RunStatus.FINISHED);
        } finally {
            first.destroyForcibly().waitFor();
            if (second != null) {
                second.destroyForcibly().waitFor();
            }
        }
    }

    private Process worker() throws Exception {
        return OtherJvm.start(
                LostWorkerTest.Working.class, folder.resolve("log"), folder.toString(), TEMPORAL.address());
    }
}
