package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.temporal.api.history.v1.HistoryEvent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.BadInputException;
import pacer.activities.run.Home;
import pacer.activities.run.RunStatus;
import pacer.activities.run.RunUpdate;
import pacer.activities.run.TestRuns;
import pacer.trainer.event.TrainingEvent;
import pacer.workflows.ServiceWorker.Role;

/** One version of workers takes over from another while runs are at work: on the real server, which decides who gets what. */
@Timeout(180)
class VersionedWorkersTest {
    private static final Deployment A = new Deployment("pacer", "a");
    private static final Deployment B = new Deployment("pacer", "b");
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    @RegisterExtension
    static final TemporalServer SERVER = new TemporalServer();

    @TempDir
    private Path folder;

    private Home home;
    private Path text;

    private static TemporalConnection connect() throws Exception {
        return TemporalConnection.open(TemporalAddress.find(SERVER.address(), Map.of()));
    }

    private PipelineWorker control(Deployment version) throws Exception {
        return PipelineWorker.start(
                connect(), TestPipelines.settings(home).with(Optional.of(version)), Set.of(Role.CONTROL));
    }

    @Test
    void runsMoveToTheVersionThatIsMadeCurrentAndBack() throws Exception {
        text = TestRuns.text(folder.resolve("text.txt"), 20);
        home = TestRuns.home(folder);
        WorkerSettings trains = TestPipelines.settings(home, "mishap=hold", "at=15");
        try (TemporalConnection connection = connect();
                Pipeline host = Pipeline.with(home, connect(), trains, Set.of(Role.HOST))) {
            PipelineWorker a = control(A);
            assertThat(connection.makeCurrent(A, PATIENCE)).isEmpty();
            awaitWork(connection, true);
            PipelineWorker[] b = new PipelineWorker[1];

            RunHandle first = host.start(TestPipelines.layers(text), null, null, true);
            PipelineOutcome outcome = first.follow(update -> {
                if (b[0] == null && isAtStep14(update)) {
                    b[0] = takeOver(connection);
                    goOn(first);
                }
            });

            assertThat(outcome.status()).isEqualTo(RunStatus.FINISHED);
            assertThat(versions(connection, first)).contains("a", "b").last().isEqualTo("b");
            RunHandle second = host.start(TestPipelines.layers(text, "seed=2"), null, null, true);
            goOnWhenThere(second);
            assertThat(second.result().status()).isEqualTo(RunStatus.FINISHED);
            assertThat(versions(connection, second)).containsOnly("b");

            // back: what b began, a goes on with
            assertThat(connection.makeCurrent(A, PATIENCE)).contains(B);
            RunHandle third = host.start(TestPipelines.layers(text, "seed=3"), null, null, true);
            goOnWhenThere(third);
            assertThat(third.result().status()).isEqualTo(RunStatus.FINISHED);
            assertThat(versions(connection, third)).containsOnly("a");

            // those without a version get all: a and b listen, and nobody works
            SERVER.temporal(
                    "worker",
                    "deployment",
                    "set-current-version",
                    "--deployment-name",
                    "pacer",
                    "--unversioned",
                    "--yes");
            awaitWork(connection, false);
            connection.makeCurrent(B, PATIENCE);
            awaitWork(connection, true);
            a.close();
            b[0].close();
        }
    }

    @Test
    void aVersionThatNobodyHasCannotBeMadeCurrent() throws Exception {
        try (TemporalConnection connection = connect()) {
            assertThatThrownBy(() -> connection.makeCurrent(new Deployment("other", "x"), Duration.ZERO))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageStartingWith("version x of deployment other was not made current: ")
                    .hasMessageEndingWith("start a worker of role control with that version first");
        }
    }

    private static void awaitWork(TemporalConnection connection, boolean expected) throws Exception {
        for (int i = 0; connection.isWorkedOn() != expected; i++) {
            assertThat(i).as("worked on: " + !expected).isLessThan(100);
            Thread.sleep(100);
        }
    }

    private static boolean isAtStep14(RunUpdate update) {
        return update instanceof RunUpdate.Trained(TrainingEvent.Step step) && step.step() == 14;
    }

    private PipelineWorker takeOver(TemporalConnection connection) {
        try {
            PipelineWorker b = control(B);
            connection.makeCurrent(B, PATIENCE);
            return b;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** Build ids of those that completed workflow tasks, in order. */
    private static List<String> versions(TemporalConnection connection, RunHandle run) {
        return connection.client().fetchHistory(run.id()).getEvents().stream()
                .filter(HistoryEvent::hasWorkflowTaskCompletedEventAttributes)
                .map(event -> event.getWorkflowTaskCompletedEventAttributes()
                        .getDeploymentVersion()
                        .getBuildId())
                .toList();
    }

    private void goOnWhenThere(RunHandle run) throws Exception {
        while (!home.run(run.id()).exists()) {
            Thread.sleep(50);
        }
        goOn(run);
    }

    private void goOn(RunHandle run) {
        try {
            Files.writeString(home.run(run.id()).path().resolve("go"), "");
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
