package pacer.workflows;

import io.temporal.common.WorkflowExecutionHistory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import pacer.activities.run.Home;
import pacer.activities.run.RunUpdate;
import pacer.activities.run.TestRuns;
import pacer.trainer.event.TrainingEvent;

/**
 * Makes the histories that {@link ReplayTest} replays, by running pipelines. To add those of a new version of the workflow,
 * next to the old ones (open runs of the old version must still replay):
 *
 * <pre>
 * mvn -pl workflows -am test -Dtest=SaveHistories -Dsurefire.failIfNoSpecifiedTests=false \
 *     -Dhistories=src/test/resources/histories/v2
 * </pre>
 */
@EnabledIfSystemProperty(named = "histories", matches = ".+")
class SaveHistories {
    @Test
    void save() throws IOException, InterruptedException {
        Path target = Files.createDirectories(Path.of(System.getProperty("histories")));
        save(target.resolve("finished.json"), false);
        save(target.resolve("retried.json"), false, "mishap=crash", "at=15");
        save(target.resolve("refused.json"), false, "refuse=true");
        save(target.resolve("stopped.json"), true, "mishap=wait", "at=15");
    }

    private static void save(Path file, boolean stop, String... properties) throws IOException, InterruptedException {
        Home home = TestRuns.home(Files.createTempDirectory("pacer-history"));
        try (TemporalConnection connection = TemporalConnection.open(null, Map.of());
                Pipeline pipeline = Pipeline.with(
                        home,
                        connection,
                        TestPipelines.settings(home, properties),
                        EnumSet.allOf(PipelineWorker.Role.class))) {
            SpecLayers layers = SpecLayers.load(
                    "quickstart",
                    List.of(),
                    List.of("train.steps=30", "schedule.warmupSteps=5", "checkpoint.everySteps=10"));
            RunHandle run = pipeline.start(layers, null, true);
            PipelineOutcome outcome = run.follow(update -> {
                if (stop && update instanceof RunUpdate.Trained(TrainingEvent.Step step) && step.step() == 14) {
                    run.stop();
                }
            });
            WorkflowExecutionHistory history = connection.client().fetchHistory(run.id());
            Files.writeString(file, history.toJson(true) + "\n");
            System.out.println(
                    file + ": " + outcome.status() + ", " + history.getEvents().size() + " events");
        }
    }
}
