package pacer.activities.publishing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.evaluation.EvaluationResult;
import pacer.activities.run.Home;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunHub;
import pacer.activities.run.Stage;
import pacer.activities.run.StageLog;
import pacer.activities.run.TestRuns;
import pacer.activities.run.TestStage;
import pacer.activities.run.Verdict;
import pacer.trainer.checkpoint.EventLog;
import pacer.trainer.checkpoint.Fence;
import pacer.trainer.event.TrainingEvent;
import pacer.trainer.spec.ExpectationSpec;

class PublishingTest {
    private static final Instant TIME = Instant.parse("2026-11-22T10:00:00Z");

    @TempDir
    private Path folder;

    private final List<Path> reported = new ArrayList<>();
    private final TestStage stage = new TestStage();
    private Home home;
    private StageLog log;
    private RunFolder run;

    @BeforeEach
    void prepare() throws IOException {
        home = TestRuns.home(folder);
        log = new StageLog(home, new RunHub(), Clock.systemUTC());
        run = home.run(TestRuns.open(
                        home,
                        new RunHub(),
                        TestRuns.text(folder.resolve("text.txt"), 1),
                        "expectation.validationLoss",
                        1.5)
                .run());
    }

    private PublishingResult publish() throws IOException, InterruptedException {
        return new Publishing(home, log, Clock.systemUTC(), reported::add)
                .publish(new PublishingRequest(run.id()), stage);
    }

    private void evaluated(double loss) throws IOException, InterruptedException {
        log.run(
                run.id(),
                Stage.EVALUATE,
                "key",
                EvaluationResult.class,
                earlier -> true,
                stage,
                () -> new EvaluationResult("checkpoints/step-000002", 2, loss, 100, 0));
    }

    private void events(TrainingEvent... events) throws IOException {
        Fence fence = Fence.acquire(run.path(), Duration.ofSeconds(5), notice -> {});
        try (EventLog file = EventLog.open(run.events(), fence)) {
            file.append(List.of(events));
        }
    }

    @Test
    void writesMetricsSamplesVerdictAndReport() throws Exception {
        events(
                new TrainingEvent.Validated(TIME, 0, 4.5, 100, true),
                new TrainingEvent.Step(TIME.plusSeconds(1), 1, 4.25, 2, 1e-3, 10, 76800),
                new TrainingEvent.Step(TIME.plusSeconds(2), 2, 2.5, 1.5, 5e-4, 12, 64000),
                new TrainingEvent.Validated(TIME.plusSeconds(3), 2, 2.75, 100, true),
                new TrainingEvent.Sampled(TIME.plusSeconds(3), 2, "\n", "first"),
                new TrainingEvent.Sampled(TIME.plusSeconds(3), 2, "\n", "second"),
                // a second attempt took step 2 again
                new TrainingEvent.Step(TIME.plusSeconds(9), 2, 2.5, 1.5, 5e-4, 99, 100));
        evaluated(1.4);

        PublishingResult result = publish();

        assertThat(run.metrics()).hasContent("""
                        step,time,loss,gradient_norm,learning_rate,step_millis,tokens_per_second,validation_loss
                        0,2026-11-22T10:00:00Z,,,,,,4.5
                        1,2026-11-22T10:00:01Z,4.25,2.0,0.001,10.0,76800.0,
                        2,2026-11-22T10:00:02Z,2.5,1.5,5.0E-4,12.0,64000.0,2.75
                        """);
        assertThat(run.samples().resolve("step-000002-1.txt")).hasContent("first");
        assertThat(run.samples().resolve("step-000002-2.txt")).hasContent("second");
        assertThat(result.verdict())
                .isEqualTo(new Verdict(true, 1.4, 1.5, "passed: val loss 1.4000, expected at most 1.5000"));
        assertThat(run.read().verdict()).isEqualTo(result.verdict());
        assertThat(reported).containsExactly(run.path());
        assertThat(result.files()).contains("metrics.csv", "samples/step-000002-1.txt", "report.html");
    }

    @Test
    void publishesAnewWhenSomethingChanged() throws Exception {
        evaluated(1.6);
        assertThat(publish().verdict().passed()).isFalse();
        Files.delete(run.metrics());

        publish();
        assertThat(run.metrics()).exists();
        assertThat(reported).hasSize(2);
    }

    @Test
    void withoutAnEvaluationThereIsNothingToPublish() {
        assertThatThrownBy(this::publish)
                .isInstanceOf(IOException.class)
                .hasMessage(run.recordFile() + ": the stage evaluate has no result");
    }

    @Test
    void noExpectationNoJudgement() {
        ExpectationSpec none = new ExpectationSpec(0, 0, 0, "");
        assertThat(Publishing.verdict(none, 2).passed()).isNull();
        ExpectationSpec some = new ExpectationSpec(1.69, 0, 0, "");
        assertThat(Publishing.verdict(some, 1.69).passed()).isTrue();
        assertThat(Publishing.verdict(some, 1.6901).passed()).isFalse();
        assertThat(Publishing.verdict(some, Double.NaN).passed()).isFalse();
    }
}
