package pacer.activities.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pacer.activities.dataset.DatasetRequest;
import pacer.activities.dataset.Datasets;
import pacer.activities.dataset.FetchSettings;
import pacer.activities.process.JavaCommand;
import pacer.activities.run.DamagedDataException;
import pacer.activities.run.Home;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunHub;
import pacer.activities.run.RunPlan;
import pacer.activities.run.RunUpdate;
import pacer.activities.run.Stage;
import pacer.activities.run.StageFailure;
import pacer.activities.run.StageLog;
import pacer.activities.run.TestRuns;
import pacer.activities.run.TestStage;
import pacer.activities.staging.Staging;
import pacer.activities.staging.StagingRequest;
import pacer.activities.training.ProtocolEvaluator;
import pacer.activities.training.ProtocolTrainer;
import pacer.activities.training.Training;
import pacer.activities.training.TrainingRequest;
import pacer.activities.training.TrainingSettings;

@Timeout(60)
class EvaluationTest {
    private static final String CHECKPOINT = "checkpoints/step-000030";

    @TempDir
    private Path folder;

    private final RunHub hub = new RunHub();
    private final TestStage stage = new TestStage();
    private Home home;
    private StageLog log;
    private RunFolder run;
    private String dataset;

    @BeforeEach
    void prepare() throws Exception {
        home = TestRuns.home(folder);
        log = new StageLog(home, hub, Clock.systemUTC());
        RunPlan plan = TestRuns.open(home, hub, TestRuns.text(folder.resolve("text.txt"), 20));
        run = home.run(plan.run());
        dataset = new Datasets(home, log, Clock.systemUTC(), FetchSettings.of(Map.of()))
                .prepare(new DatasetRequest(run.id(), plan.dataset()), stage)
                .hash();
        new Staging(home, log, Clock.systemUTC()).stage(new StagingRequest(run.id(), dataset), stage);
        TrainingSettings trainer = new TrainingSettings(
                java(),
                ProtocolTrainer.class.getName(),
                Duration.ofSeconds(20),
                Duration.ofSeconds(30),
                Duration.ofSeconds(30),
                3,
                Optional.empty());
        new Training(home, log, hub, Clock.systemUTC(), () -> TestRuns.MACHINE, trainer)
                .train(new TrainingRequest(run.id(), dataset), "owner-1", stage);
    }

    private static JavaCommand java(String... properties) {
        List<String> java = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:TieredStopAtLevel=1"));
        for (String property : properties) {
            java.add("-D" + property);
        }
        java.addAll(List.of("-cp", System.getProperty("java.class.path")));
        return new JavaCommand(java);
    }

    private EvaluationResult evaluate(Duration stall, String... properties) throws IOException, InterruptedException {
        EvaluationSettings settings = new EvaluationSettings(
                java(properties), ProtocolEvaluator.class.getName(), Duration.ofSeconds(5), stall, Optional.empty());
        return new Evaluation(home, log, hub, Clock.systemUTC(), settings)
                .evaluate(new EvaluationRequest(run.id(), dataset, CHECKPOINT), stage);
    }

    private EvaluationResult evaluate(String... properties) throws IOException, InterruptedException {
        return evaluate(Duration.ofSeconds(30), properties);
    }

    @Test
    void measuresACheckpointAndKeepsItsSamples() throws Exception {
        List<RunUpdate> updates = new ArrayList<>();
        hub.follow(run.id(), updates::add);

        EvaluationResult result = evaluate();

        assertThat(result)
                .isEqualTo(new EvaluationResult(
                        CHECKPOINT,
                        30,
                        4.0 / 30 + 1.1,
                        100,
                        2,
                        Staging.manifest(home, dataset).validationIdentity(),
                        null,
                        null));
        assertThat(run.samples().resolve("final-1.txt")).hasContent("sample 1");
        assertThat(run.samples().resolve("final-2.txt")).hasContent("sample 2");
        assertThat(updates).filteredOn(RunUpdate.Evaluated.class::isInstance).hasSize(3);
    }

    @Test
    void anEvaluatedCheckpointIsNotEvaluatedAgain() throws Exception {
        EvaluationResult first = evaluate();
        assertThat(evaluate("refuse=true")).isEqualTo(first);

        Files.delete(run.samples().resolve("final-2.txt"));
        evaluate();
        assertThat(run.samples().resolve("final-2.txt")).exists();
        assertThat(run.read().stage(Stage.EVALUATE).orElseThrow().attempts()).isEqualTo(2);
    }

    @Test
    void aRefusalIsFinalAndSaysWhy() {
        StageFailure failure = catchThrowableOfType(StageFailure.class, () -> evaluate("refuse=true"));
        assertThat(failure.retryable()).isFalse();
        assertThat(failure)
                .hasMessage("the evaluator refused its input: " + run.path().resolve(CHECKPOINT) + " is no checkpoint");
    }

    @ParameterizedTest
    @CsvSource({"checkpoint, TRAIN, model.safetensors", "shard, STAGE, .bin"})
    void aRefusalOfWhatWasDamagedMeanwhileNamesTheStageThatMendsIt(String what, Stage mendedBy, String file) {
        DamagedDataException damaged =
                catchThrowableOfType(DamagedDataException.class, () -> evaluate("damage=" + what));
        assertThat(damaged.mendedBy()).isEqualTo(mendedBy);
        assertThat(damaged).hasMessageContaining(file);
    }

    @Test
    void anEvaluatorThatTellsNothingIsKilledAndWorthAnotherAttempt() {
        StageFailure failure =
                catchThrowableOfType(StageFailure.class, () -> evaluate(Duration.ofSeconds(1), "hang=true"));
        assertThat(failure.retryable()).isTrue();
        assertThat(failure).hasMessage("the evaluator was killed: nothing heard of it for 1 s");
    }

    @Test
    void aCrashIsWorthAnotherAttempt() {
        StageFailure failure = catchThrowableOfType(StageFailure.class, () -> evaluate("crash=true"));
        assertThat(failure.retryable()).isTrue();
        assertThat(failure).hasMessage("the evaluator was killed by signal 6");
        assertThat(run.samples()).doesNotExist();
    }
}
