package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.temporal.client.WorkflowStub;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.Budget;
import pacer.activities.run.Home;
import pacer.activities.run.RunJson;
import pacer.activities.run.RunRecord;
import pacer.activities.run.RunStatus;
import pacer.activities.run.Stage;
import pacer.activities.run.StageContext;
import pacer.activities.run.StageRecord;
import pacer.activities.run.TestRuns;
import pacer.trainer.checkpoint.EventLog;
import pacer.trainer.event.TrainingEvent;

/** What updates and a budget do to a run at work, on the real server. Trainers wait at step 15. */
@Timeout(180)
class SteeredRunTest {
    @RegisterExtension
    static final TemporalServer SERVER = new TemporalServer();

    @TempDir
    private Path folder;

    private Home home;
    private Path text;

    @BeforeEach
    void prepare() throws Exception {
        home = TestRuns.home(folder);
        text = TestRuns.text(folder.resolve("text.txt"), 20);
    }

    private interface Steer {
        void act(RunHandle run, WorkflowStub workflow) throws Exception;
    }

    /** The record of a run that {@code steer} is done to while its trainer waits; its history is kept as {@code name}. */
    private RunRecord run(String name, RunStatus status, Budget budget, Steer steer, String... sets) throws Exception {
        try (TemporalConnection connection = SERVER.connect();
                Pipeline pipeline = Pipeline.with(
                        home,
                        connection,
                        TestPipelines.settings(home, "mishap=wait", "at=15"),
                        EnumSet.allOf(ServiceWorker.Role.class))) {
            RunHandle run = pipeline.start(TestPipelines.layers(text, sets), null, budget, true);
            WorkflowStub workflow = connection.client().newUntypedWorkflowStub(run.id());
            while (budget == null && (!LostWorkerTest.waitsAtStep14(home, run) || step(workflow) == 0)) {
                Thread.sleep(50);
            }
            steer.act(run, workflow);
            PipelineOutcome outcome = run.result();
            assertThat(outcome.status()).as(outcome.reason()).isEqualTo(status);
            SaveHistories.keep(name, connection, run.id());
            return home.run(run.id()).read();
        }
    }

    /** As far as the workflow was told. */
    private static int step(WorkflowStub workflow) {
        PipelineProgress progress = workflow.query("progress", PipelineProgress.class);
        return progress.now() == null || progress.now().step() == null
                ? 0
                : progress.now().step();
    }

    private List<Integer> steps(RunRecord run, Class<? extends TrainingEvent> kind) throws Exception {
        return EventLog.read(home.run(run.id()).events(), damage -> {}).stream()
                .filter(kind::isInstance)
                .map(TrainingEvent::step)
                .toList();
    }

    @Test
    void aPausedRunGoesOnFromItsCheckpointWhenItIsResumed() throws Exception {
        RunRecord run = run("paused", RunStatus.FINISHED, null, (handle, workflow) -> {
            assertThatThrownBy(() -> workflow.update("resume", String.class)).hasStackTraceContaining("not paused");
            assertThat(workflow.update("pause", String.class)).isEqualTo("paused; what was trained is in a checkpoint");
            assertThatThrownBy(() -> workflow.update("pause", String.class))
                    .hasStackTraceContaining("it is paused already");
            assertThatThrownBy(() -> workflow.update("checkpointNow", String.class))
                    .hasStackTraceContaining("it is paused, with a checkpoint");
            PipelineProgress progress = workflow.query("progress", PipelineProgress.class);
            assertThat(progress.paused()).isTrue();
            assertThat(progress.now().tokensPerSecond())
                    .as("nothing is computed")
                    .isNull();
            assertThat(progress.now().etaSeconds()).isNull();
            assertThat(home.run(handle.id())
                            .read()
                            .stage(Stage.TRAIN)
                            .orElseThrow()
                            .summary())
                    .as("by which pacer runs knows it")
                    .isEqualTo(StageContext.Stop.REQUESTED.told());
            assertThat(progress.now().spentSeconds())
                    .as("what it is charged for, which a pause does not change")
                    .isPositive()
                    .isLessThanOrEqualTo(home.run(handle.id()).read().secondsSpent());
            assertThat(workflow.update("resume", String.class)).isEqualTo("training goes on");
        });
        assertThat(steps(run, TrainingEvent.Started.class)).containsExactly(0, 15);
        assertThat(steps(run, TrainingEvent.Step.class)).last().isEqualTo(30);
    }

    @Test
    void anExtendedRunTrainsFurther() throws Exception {
        RunRecord run = run("extended", RunStatus.FINISHED, null, (_, workflow) -> {
            assertThatThrownBy(() -> workflow.update("extend", String.class, 0))
                    .hasStackTraceContaining("a number of steps above 0 is wanted");
            assertThat(workflow.update("extend", String.class, 5)).isEqualTo("training ends at step 35");
        });
        assertThat(steps(run, TrainingEvent.Finished.class)).containsExactly(35);
        assertThat(run.lastStep()).isEqualTo(35);
    }

    @Test
    void aRunThatIsStoppedEarlyEvaluatesAndPublishesWhatThereIs() throws Exception {
        RunRecord run = run("stopped-early", RunStatus.FINISHED, null, (_, workflow) -> assertThat(
                        workflow.update("stopEarly", String.class))
                .isEqualTo("training ends at step 15"));
        assertThat(steps(run, TrainingEvent.Finished.class)).containsExactly(15);
        assertThat(home.run(run.id()).report()).exists();
    }

    @Test
    void aCheckpointIsWrittenWhenItIsAskedForAndTrainingGoesOn() throws Exception {
        RunRecord run = run("checkpoint-now", RunStatus.FINISHED, null, (handle, workflow) -> {
            CompletableFuture<String> written =
                    CompletableFuture.supplyAsync(() -> workflow.update("checkpointNow", String.class));
            Thread.sleep(1000); // asked; the step at work ends when it may
            Files.writeString(home.run(handle.id()).path().resolve("go"), "");
            assertThat(written.get()).isEqualTo("checkpoints/step-000015");
        });
        assertThat(steps(run, TrainingEvent.Started.class)).as("attempts").containsExactly(0);
        assertThat(steps(run, TrainingEvent.Checkpointed.class)).containsExactly(10, 15, 20, 30);
    }

    @Test
    void aBudgetInMoneyStopsARunWithACheckpoint() throws Exception {
        // 2 dollars a second
        RunRecord run =
                run("over-budget", RunStatus.STOPPED, new Budget(null, 20.0), (_, _) -> {}, "cost.dollarsPerHour=7200");
        assertThat(run.failure()).startsWith("over budget, 20 USD; more time or money lets it go on");
        assertThat(run.secondsSpent()).as("10 s cost 20 dollars").isGreaterThan(9.9);
        assertThat(run.stage(Stage.TRAIN).orElseThrow().status()).isEqualTo(StageRecord.Status.STOPPED);
        assertThat(steps(run, TrainingEvent.Step.class))
                .as("no step is lost")
                .last()
                .isEqualTo(home.run(run.id()).newestStep());
    }

    /** As the server tells them to its UI. */
    @Test
    void queriesAndUpdatesAreDescribed() throws Exception {
        String[] told = new String[1];
        RunRecord _ = run("described", RunStatus.FINISHED, null, (run, workflow) -> {
            told[0] = SERVER.temporal(
                    "workflow", "query", "-w", run.id(), "--name", "__temporal_workflow_metadata", "-o", "json");
            Files.writeString(home.run(run.id()).path().resolve("go"), "");
        });
        Map<String, String> words = new HashMap<>();
        RunJson.MAPPER
                .readTree(told[0])
                .findParents("name")
                .forEach(d ->
                        words.put(d.path("name").asText(), d.path("description").asText()));
        assertThat(words)
                .containsEntry("progress", "The stages begun, and how far the one at work is")
                .containsEntry("lossCurve", "Training and validation loss by step, as far as was told of them")
                .containsEntry("spec", "The resolved spec, as YAML")
                .containsEntry("resume", "Go on after pause")
                .containsKeys("pause", "checkpointNow", "extend", "stopEarly")
                .doesNotContainValue("");
    }

    @Test
    void aRunIsFoundByWhereItIsAndByWhatItCameTo() throws Exception {
        RunRecord run = run("found", RunStatus.FINISHED, null, (handle, workflow) -> {
            // step 10's validation is what was told last; that the workflow hears of it is a matter of seconds
            awaitFound(handle.id(), "PacerStage = 'train' AND PacerPreset = 'quickstart'");
            workflow.update("pause", String.class); // with a validation at step 15
            workflow.update("resume", String.class);
        });
        double loss = 4.0 / 30 + 1.1;
        awaitFound(
                run.id(),
                "PacerStage = 'publish' AND PacerStep = 30 AND PacerVerdict = 'passed' AND PacerValidationLoss = "
                        + loss);
        assertThat(found(run.id(), "PacerStage = 'train'")).isFalse();
    }

    private static boolean found(String run, String query) throws Exception {
        String answer = SERVER.temporal(
                "workflow", "count", "--query", "WorkflowId = '" + run + "' AND " + query, "-o", "json");
        return answer.matches("(?s).*\"count\":\\s*\"?1\"?.*");
    }

    private static void awaitFound(String run, String query) throws Exception {
        for (int i = 0; i < 300; i++) {
            if (found(run, query)) {
                return;
            }
            Thread.sleep(100);
        }
        throw new AssertionError(run + " is not found by " + query + ": "
                + SERVER.temporal("workflow", "describe", "-w", run, "-o", "json"));
    }
}
