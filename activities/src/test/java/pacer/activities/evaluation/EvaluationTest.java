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
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.process.JavaCommand;
import pacer.activities.run.Home;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunHub;
import pacer.activities.run.RunUpdate;
import pacer.activities.run.Stage;
import pacer.activities.run.StageFailure;
import pacer.activities.run.StageLog;
import pacer.activities.run.TestRuns;
import pacer.activities.run.TestStage;
import pacer.activities.training.ProtocolEvaluator;

@Timeout(60)
class EvaluationTest {
    private static final String CHECKPOINT = "checkpoints/step-000020";

    @TempDir
    private Path folder;

    private final RunHub hub = new RunHub();
    private final TestStage stage = new TestStage();
    private Home home;
    private RunFolder run;

    @BeforeEach
    void prepare() throws IOException {
        home = TestRuns.home(folder);
        run = home.run(TestRuns.open(home, hub, TestRuns.text(folder.resolve("text.txt"), 5))
                .run());
        Files.createDirectories(run.path().resolve(CHECKPOINT));
        Files.writeString(run.path().resolve(CHECKPOINT).resolve("manifest.json"), "{}");
    }

    private EvaluationResult evaluate(String checkpoint, String... properties)
            throws IOException, InterruptedException {
        List<String> java = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:TieredStopAtLevel=1"));
        for (String property : properties) {
            java.add("-D" + property);
        }
        java.addAll(List.of("-cp", System.getProperty("java.class.path")));
        EvaluationSettings settings =
                new EvaluationSettings(new JavaCommand(java), ProtocolEvaluator.class.getName(), Duration.ofSeconds(5));
        return new Evaluation(home, new StageLog(home, hub, Clock.systemUTC()), hub, Clock.systemUTC(), settings)
                .evaluate(new EvaluationRequest(run.id(), "dataset", checkpoint), stage);
    }

    @Test
    void measuresACheckpointAndKeepsItsSamples() throws Exception {
        List<RunUpdate> updates = new ArrayList<>();
        hub.follow(run.id(), updates::add);

        EvaluationResult result = evaluate(CHECKPOINT);

        assertThat(result).isEqualTo(new EvaluationResult(CHECKPOINT, 20, 4.0 / 20 + 1.1, 100, 2));
        assertThat(run.samples().resolve("final-1.txt")).hasContent("sample 1");
        assertThat(run.samples().resolve("final-2.txt")).hasContent("sample 2");
        assertThat(updates).filteredOn(RunUpdate.Evaluated.class::isInstance).hasSize(3);
    }

    @Test
    void anEvaluatedCheckpointIsNotEvaluatedAgain() throws Exception {
        EvaluationResult first = evaluate(CHECKPOINT);
        assertThat(evaluate(CHECKPOINT, "refuse=true")).isEqualTo(first);

        Files.delete(run.samples().resolve("final-2.txt"));
        evaluate(CHECKPOINT);
        assertThat(run.samples().resolve("final-2.txt")).exists();
        assertThat(run.read().stage(Stage.EVALUATE).orElseThrow().attempts()).isEqualTo(2);
    }

    @Test
    void aRefusalIsFinalAndSaysWhy() {
        StageFailure failure = catchThrowableOfType(StageFailure.class, () -> evaluate("checkpoints/step-000099"));
        assertThat(failure.retryable()).isFalse();
        assertThat(failure)
                .hasMessage("the evaluator refused its input: " + run.path().resolve("checkpoints/step-000099")
                        + " is no checkpoint");
    }

    @Test
    void aCrashIsWorthAnotherAttempt() {
        StageFailure failure = catchThrowableOfType(StageFailure.class, () -> evaluate(CHECKPOINT, "crash=true"));
        assertThat(failure.retryable()).isTrue();
        assertThat(failure).hasMessage("the evaluator was killed by signal 6");
        assertThat(run.samples()).doesNotExist();
    }
}
