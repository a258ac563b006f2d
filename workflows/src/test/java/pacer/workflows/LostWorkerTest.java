package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import io.temporal.testserver.TestServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.process.Ports;
import pacer.activities.run.Home;
import pacer.activities.run.OtherJvm;
import pacer.activities.run.RunRecord;
import pacer.activities.run.RunStatus;
import pacer.activities.run.RunUpdate;
import pacer.activities.run.Stage;
import pacer.activities.run.StageRecord;
import pacer.activities.run.TestRuns;
import pacer.trainer.checkpoint.EventLog;
import pacer.trainer.event.TrainingEvent;

/** A service that lives on while the worker that trains, another process, is killed: the next one goes on. */
@Timeout(120)
class LostWorkerTest {
    private static final Policies QUICK = new Policies(Duration.ofSeconds(3));

    @TempDir
    private Path folder;

    /** A worker that waits for its end; trainers wait at step 15. */
    static final class Working {
        private Working() {}

        public static void main(String[] arguments) throws IOException, InterruptedException {
            Home home = TestRuns.home(Path.of(arguments[0]));
            WorkerSettings settings = TestPipelines.settings(home, QUICK, "mishap=wait", "at=15");
            TemporalConnection connection = TemporalConnection.open(TemporalAddress.find(arguments[1], Map.of()));
            try (Pipeline _ = Pipeline.with(home, connection, settings, Set.of(ServiceWorker.Role.HOST))) {
                Files.writeString(Path.of(arguments[0], "working"), "");
                Thread.sleep(Long.MAX_VALUE);
            }
        }
    }

    @Test
    void theNextWorkerGoesOnWithTheRunInProgress() throws Exception {
        Path text = TestRuns.text(folder.resolve("text.txt"), 20);
        Home home = TestRuns.home(folder);
        int port = Ports.free();
        try (TestServer.PortBoundTestServer _ = TestServer.createPortBoundServer(port)) {
            String address = "127.0.0.1:" + port;
            Process first = OtherJvm.start(Working.class, folder.resolve("log"), folder.toString(), address);
            TemporalConnection connection = TemporalConnection.open(TemporalAddress.find(address, Map.of()));
            while (!Files.exists(folder.resolve("working"))) {
                assertThat(first.isAlive())
                        .as(Files.readString(folder.resolve("log")))
                        .isTrue();
                Thread.sleep(20);
            }

            List<RunUpdate> updates = new ArrayList<>();
            Process[] second = new Process[1];
            // a machine of its own: it opens no run, as nobody would work on that there
            Home elsewhere = TestRuns.home(folder.resolve("elsewhere"));
            PipelineWorker control = PipelineWorker.start(
                    connection, TestPipelines.settings(elsewhere, QUICK), Set.of(ServiceWorker.Role.CONTROL));
            try (Pipeline client = Pipeline.with(home, connection, TestPipelines.settings(home, QUICK), Set.of())) {
                assertThat(client.announcement())
                        .isEqualTo(
                                "Temporal: " + address + ", namespace default (--temporal); its workers do the work");
                RunHandle run = client.start(TestPipelines.layers(text), null, null, false);
                PipelineOutcome outcome = run.follow(update -> {
                    updates.add(update);
                    if (second[0] == null && waitsAtStep14(home, run)) {
                        first.destroyForcibly();
                        second[0] = startWorker(address);
                    }
                });

                assertThat(outcome.status()).isEqualTo(RunStatus.FINISHED);
                assertThat(elsewhere.run(run.id()).path()).doesNotExist();
                RunRecord record = home.run(run.id()).read();
                StageRecord training = record.stage(Stage.TRAIN).orElseThrow();
                assertThat(training.attempts()).isEqualTo(2);
                assertThat(record.stage(Stage.DATASET).orElseThrow().attempts()).isEqualTo(1);
                assertThat(EventLog.read(home.run(run.id()).events(), damage -> {}))
                        .filteredOn(TrainingEvent.Started.class::isInstance)
                        .extracting(TrainingEvent::step)
                        .containsExactly(0, 10);
                control.close();
            } finally {
                first.destroyForcibly().waitFor();
                if (second[0] != null) {
                    second[0].destroyForcibly().waitFor();
                }
            }
            assertThat(updates)
                    .filteredOn(RunUpdate.StageEnded.class::isInstance)
                    .extracting(
                            update -> ((RunUpdate.StageEnded) update).record().stage())
                    .containsExactly(Stage.values());
            assertThat(updates).hasAtLeastOneElementOfType(RunUpdate.Advanced.class);
            assertThat(updates).anySatisfy(update -> {
                assertThat(update).isInstanceOf(RunUpdate.StageEnded.class);
                StageRecord ended = ((RunUpdate.StageEnded) update).record();
                assertThat(ended.stage()).isEqualTo(Stage.TRAIN);
                assertThat(ended.seconds())
                        .as("the dead worker's time is in it")
                        .isGreaterThan(3);
            });
        }
    }

    private Process startWorker(String address) {
        try {
            return OtherJvm.start(Working.class, folder.resolve("log"), folder.toString(), address);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    static boolean waitsAtStep14(Home home, RunHandle run) {
        try {
            return EventLog.read(home.run(run.id()).events(), damage -> {}).stream()
                    .anyMatch(event -> event instanceof TrainingEvent.Step && event.step() == 14);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
