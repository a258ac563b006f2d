package pacer.workflows;

import io.temporal.api.history.v1.History;
import io.temporal.common.WorkflowExecutionHistory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import pacer.activities.run.Home;
import pacer.activities.run.RunUpdate;
import pacer.activities.run.TestRuns;
import pacer.activities.tracking.TrackingSettings;
import pacer.trainer.event.TrainingEvent;

/**
 * Makes the histories that {@link ReplayTest} replays, by running pipelines. To add those of a new version of the workflow,
 * next to the old ones (open runs of the old version must still replay):
 *
 * <pre>
 * mvn -pl workflows -am test -Dtest=SaveHistories -Dsurefire.failIfNoSpecifiedTests=false \
 *     -Dhistories=src/test/resources/histories/v8
 * </pre>
 *
 * {@link LostHostTest}, {@link SeveralHostsTest}, {@link UnclosedRecordTest}, {@link SharedPreparationTest}, {@link SteeredRunTest}, {@link RecordAttemptTest}, {@link SweepTest} and
 * {@link ReproduceTest} add their own, called in the same way.
 */
@EnabledIfSystemProperty(named = "histories", matches = ".+")
class SaveHistories {
    @Test
    void save() throws IOException, InterruptedException {
        Path target = Files.createDirectories(Path.of(System.getProperty("histories")));
        AtStep14 nothing = (home, run) -> {};
        save(target.resolve("finished.json"), nothing);
        save(target.resolve("retried.json"), nothing, "mishap=crash", "at=15");
        save(target.resolve("refused.json"), nothing, "refuse=true");
        save(target.resolve("stopped.json"), (home, run) -> run.stop(), "mishap=wait", "at=15");
        save(target.resolve("mended.json"), SaveHistories::damage, "mishap=hold", "at=15");
        saveTracked(target.resolve("tracked.json"), target.resolve("tracking.json"));
    }

    /** A run that is sent to MLflow, where nobody answers; and the workflow that sends it, as far as it comes. */
    private static void saveTracked(Path run, Path tracking) throws IOException, InterruptedException {
        Home home = TestRuns.home(Files.createTempDirectory("pacer-history"));
        TrackingSettings nowhere = TrackingSettings.of(Map.of("MLFLOW_TRACKING_URI", "http://127.0.0.1:9"))
                .orElseThrow();
        save(run, home, TestPipelines.tracked(TestPipelines.settings(home), nowhere), (_, _) -> {}, tracking);
    }

    /** For tests whose histories are wanted too: as {@code name}, where {@code -Dhistories} is given to them. */
    static void keep(String name, TemporalConnection connection, String workflow) throws IOException {
        String folder = System.getProperty("histories");
        if (folder != null) {
            Path target = Files.createDirectories(Path.of(folder));
            History.Builder history = connection.client().fetchHistory(workflow).getHistory().toBuilder();
            // which the service inside the process leaves out, and children are named by
            history.getEventsBuilder(0)
                    .getWorkflowExecutionStartedEventAttributesBuilder()
                    .setWorkflowId(workflow);
            String json = new WorkflowExecutionHistory(history.build()).toJson(true);
            Files.writeString(target.resolve(name + ".json"), json + "\n");
        }
    }

    private interface AtStep14 {
        void act(Home home, RunHandle run);
    }

    private static void save(Path file, AtStep14 then, String... properties) throws IOException, InterruptedException {
        Home home = TestRuns.home(Files.createTempDirectory("pacer-history"));
        save(file, home, TestPipelines.settings(home, properties), then, null);
    }

    private static void save(Path file, Home home, WorkerSettings settings, AtStep14 then, Path tracking)
            throws IOException, InterruptedException {
        try (TemporalConnection connection = TemporalConnection.open(TemporalAddress.embedded());
                Pipeline pipeline =
                        Pipeline.with(home, connection, settings, EnumSet.allOf(ServiceWorker.Role.class))) {
            SpecLayers layers = SpecLayers.load(
                    "quickstart",
                    List.of(),
                    List.of("train.steps=30", "schedule.warmupSteps=5", "checkpoint.everySteps=10"));
            RunHandle run = pipeline.start(layers, null, null, true);
            PipelineOutcome outcome = run.follow(update -> {
                if (update instanceof RunUpdate.Trained(TrainingEvent.Step step) && step.step() == 14) {
                    then.act(home, run);
                }
            });
            WorkflowExecutionHistory history = connection.client().fetchHistory(run.id());
            Files.writeString(file, history.toJson(true) + "\n");
            if (tracking != null) {
                String execution = history.getEvents()
                        .getFirst()
                        .getWorkflowExecutionStartedEventAttributes()
                        .getOriginalExecutionRunId();
                WorkflowExecutionHistory beside = connection.client().fetchHistory(run.id() + "-tracking-" + execution);
                Files.writeString(tracking, beside.toJson(true) + "\n");
            }
            System.out.println(
                    file + ": " + outcome.status() + ", " + history.getEvents().size() + " events");
        }
    }

    /** Flips a bit of the dataset; a trainer that waits for it crashes, and the next attempt finds the damage. */
    private static void damage(Home home, RunHandle run) {
        try (Stream<Path> staged = Files.list(home.staged())) {
            Path shard = staged.filter(file -> file.toString().endsWith(".bin"))
                    .findFirst()
                    .orElseThrow();
            byte[] bytes = Files.readAllBytes(shard);
            bytes[bytes.length - 1] ^= 1;
            Files.write(shard, bytes);
            Files.writeString(home.run(run.id()).path().resolve("go"), "");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
