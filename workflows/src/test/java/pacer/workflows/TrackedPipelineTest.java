package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.Home;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunStatus;
import pacer.activities.run.RunUpdate;
import pacer.activities.run.StageContext;
import pacer.activities.run.TestRuns;
import pacer.activities.tracking.EventsForTests;
import pacer.activities.tracking.MlflowForTests;
import pacer.activities.tracking.Tracking;
import pacer.activities.tracking.TrackingSettings;
import pacer.trainer.event.TrainingEvent;

/** Pipelines whose worker knows a tracking server, a real one. */
@Timeout(120)
class TrackedPipelineTest {
    private static final URI NOBODY = URI.create("http://127.0.0.1:9");

    @RegisterExtension
    static final MlflowForTests MLFLOW = new MlflowForTests();

    @TempDir
    private Path place;

    private final List<RunUpdate> updates = new CopyOnWriteArrayList<>();

    private Pipeline open(TrackingSettings tracking, String... properties) throws Exception {
        Home home = TestRuns.home(place);
        WorkerSettings settings = TestPipelines.tracked(TestPipelines.settings(home, properties), tracking);
        return Pipeline.open(home, TemporalAddress.embedded(), settings);
    }

    private RunHandle start(Pipeline pipeline) throws Exception {
        Path text = TestRuns.text(place.resolve("text.txt"), 20);
        return pipeline.start(TestPipelines.layers(text), "a test", null, true);
    }

    private static JsonNode run(RunFolder folder) throws Exception {
        List<JsonNode> runs = MLFLOW.runs(folder.id());
        assertThat(runs).hasSize(1);
        return runs.getFirst().path("info");
    }

    private static void assertEverythingOnce(RunFolder folder) throws Exception {
        assertThat(MLFLOW.points(run(folder).path("run_id").asText(), "train/loss"))
                .containsExactlyInAnyOrderElementsOf(new EventsForTests(folder).losses());
    }

    @Test
    void aRunIsInMlflowWhenItHasEnded() throws Exception {
        try (Pipeline pipeline = open(MLFLOW.settings(), "mishap=crash", "at=15")) {
            RunHandle run = start(pipeline);
            assertThat(run.follow(updates::add).status()).isEqualTo(RunStatus.FINISHED);
            RunFolder folder = run.folder().orElseThrow();

            assertThat(pipeline.tracked(folder).orElseThrow().awaitAll(Duration.ofSeconds(20)))
                    .isTrue();
            assertEverythingOnce(folder);
            assertThat(run(folder).path("status").asText()).isEqualTo("FINISHED");
            assertThat(pipeline.tracked(folder).orElseThrow().page())
                    .hasValueSatisfying(page ->
                            assertThat(page).startsWith(MLFLOW.uri().toString()).contains("/runs/"));
        }
        assertThat(updates)
                .noneMatch(update -> update instanceof RunUpdate.Notice notice
                        && notice.text().contains("MLflow"));
    }

    @Test
    void aRunsPageInTemporalLinksItsPageInMlflow() throws Exception {
        Home home = TestRuns.home(place);
        WorkerSettings settings =
                TestPipelines.tracked(TestPipelines.settings(home, "mishap=wait", "at=15"), MLFLOW.settings());
        try (TemporalConnection connection = TemporalConnection.open(TemporalAddress.embedded());
                Pipeline pipeline =
                        Pipeline.with(home, connection, settings, EnumSet.allOf(ServiceWorker.Role.class))) {
            RunHandle run = start(pipeline);
            AtomicReference<String> page = new AtomicReference<>();
            PipelineOutcome _ = run.follow(update -> {
                if (update instanceof RunUpdate.Trained(TrainingEvent.Step step) && step.step() == 14) {
                    page.set(awaitPage(connection, run.id()));
                    run.stop();
                }
            });
            String id = run(run.folder().orElseThrow()).path("run_id").asText();
            assertThat(page.get()).startsWith(MLFLOW.uri().toString()).endsWith("/runs/" + id);
        }
    }

    private static String awaitPage(TemporalConnection connection, String run) {
        var workflow = connection.client().newUntypedWorkflowStub(run);
        for (int i = 0; i < 200; i++) {
            String page =
                    workflow.query("progress", PipelineProgress.class).links().get("MLflow run");
            if (page != null) {
                return page;
            }
            LockSupport.parkNanos(100_000_000);
        }
        throw new AssertionError("no page of the run in MLflow within 20 s");
    }

    @Test
    void aRunThatIsStoppedIsSentAllTheSame() throws Exception {
        try (Pipeline pipeline = open(MLFLOW.settings(), "mishap=wait", "at=15")) {
            RunHandle run = start(pipeline);
            PipelineOutcome outcome = run.follow(update -> {
                if (update instanceof RunUpdate.Trained(TrainingEvent.Step step) && step.step() == 14) {
                    run.stop();
                }
            });
            assertThat(outcome.status()).isEqualTo(RunStatus.STOPPED);
            RunFolder folder = run.folder().orElseThrow();
            assertThat(pipeline.tracked(folder).orElseThrow().awaitAll(Duration.ofSeconds(20)))
                    .isTrue();
            assertEverythingOnce(folder);
            assertThat(run(folder).path("status").asText()).isEqualTo("KILLED");
        }
    }

    @Test
    void aServerThatComesLaterGetsItLater() throws Exception {
        MLFLOW.kill();
        try (Pipeline pipeline = open(MLFLOW.settings())) {
            RunHandle run = start(pipeline);
            assertThat(run.follow(updates::add).status()).isEqualTo(RunStatus.FINISHED);
            RunFolder folder = run.folder().orElseThrow();
            assertThat(pipeline.tracked(folder).orElseThrow().awaitAll(Duration.ofMillis(300)))
                    .isFalse();
            MLFLOW.start();
            assertThat(pipeline.tracked(folder).orElseThrow().awaitAll(Duration.ofSeconds(40)))
                    .isTrue();
            assertEverythingOnce(folder);
        }
        assertThat(updates)
                .filteredOn(RunUpdate.Notice.class::isInstance)
                .singleElement()
                .asString()
                .contains("gives no answer", "the run goes on");
    }

    @Test
    void aRunWithoutAServerIsPublishedLater() throws Exception {
        RunFolder folder;
        try (Pipeline pipeline = open(MLFLOW.settings(NOBODY))) {
            RunHandle run = start(pipeline);
            assertThat(run.result().status()).isEqualTo(RunStatus.FINISHED);
            folder = run.folder().orElseThrow();
        }
        new Tracking(Clock.systemUTC(), MLFLOW.settings()).publish(folder, StageContext.NOBODY);
        assertEverythingOnce(folder);
    }
}
