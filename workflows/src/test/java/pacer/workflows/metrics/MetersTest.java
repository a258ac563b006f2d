package pacer.workflows.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.evaluation.EvaluationResult;
import pacer.activities.host.HostHealth;
import pacer.activities.publishing.PublishingResult;
import pacer.activities.run.Home;
import pacer.activities.run.Progress;
import pacer.activities.run.RunEnding;
import pacer.activities.run.RunHub;
import pacer.activities.run.RunJson;
import pacer.activities.run.RunRecord;
import pacer.activities.run.RunStatus;
import pacer.activities.run.RunUpdate;
import pacer.activities.run.Stage;
import pacer.activities.run.StageRecord;
import pacer.activities.run.StageResult;
import pacer.activities.run.TestRuns;
import pacer.activities.run.Verdict;
import pacer.activities.staging.StagingResult;
import pacer.activities.training.TrainingResult;
import pacer.trainer.event.TrainingEvent;

class MetersTest {
    private static final double MILLION = 1e6;

    @TempDir
    private Path folder;

    private final RunHub hub = new RunHub();
    private Instant now = Instant.now();
    private Home home;
    private Path text;
    private PrometheusRegistry registry;
    private BiConsumer<String, RunUpdate> meters;

    @BeforeEach
    void prepare() throws IOException {
        home = TestRuns.home(folder);
        text = TestRuns.text(folder.resolve("text.txt"), 5);
        startWorker();
        hub.followAll((run, update) -> meters.accept(run, update));
    }

    /** Another process over the same folders. */
    private void startWorker() {
        InstantSource source = () -> now;
        registry = new PrometheusRegistry();
        meters = Meters.register(
                new MeterBook(registry),
                home,
                OptionalLong.empty(),
                new HostHealth(),
                () -> List.of(new ScheduleFacts("nightly", now, now, Duration.ofDays(1))),
                source.withZone(ZoneOffset.UTC));
    }

    private Double value(String series) {
        return Scrape.of(registry).value(series);
    }

    private String open(Object... more) throws IOException {
        return TestRuns.open(home, hub, text, more).run();
    }

    private void trains(String run) {
        hub.tell(run, new RunUpdate.StageStarted(Stage.TRAIN));
        event(run, new TrainingEvent.Started(now, 0, 30, 805_760, 768, 1, "cpu", 5_000_000, null));
    }

    private void event(String run, TrainingEvent event) {
        hub.tell(run, new RunUpdate.Trained(event));
    }

    private void step(String run, int step, double loss) {
        event(run, new TrainingEvent.Step(now, step, loss, 1.5, 0.001, 12, 64_000));
        hub.tell(
                run,
                new RunUpdate.Advanced(new Progress(
                        Stage.TRAIN,
                        now,
                        step / 30.0,
                        "",
                        step,
                        30,
                        loss,
                        null,
                        null,
                        0.001,
                        63_000.0,
                        9.0,
                        null,
                        null)));
    }

    private void ends(String run, Stage stage, StageRecord.Status status, double seconds, StageResult result) {
        hub.tell(
                run,
                new RunUpdate.StageEnded(new StageRecord(
                        stage,
                        status,
                        "key",
                        now,
                        now,
                        seconds,
                        1,
                        result != null && result.reused(),
                        "",
                        result == null ? null : RunJson.MAPPER.valueToTree(result))));
    }

    private void done(String run, Stage stage, double seconds, StageResult result) {
        ends(run, stage, StageRecord.Status.DONE, seconds, result);
    }

    private void close(String run, RunStatus status) throws IOException {
        TestRuns.runs(home, hub).close(new RunEnding(run, status, null));
    }

    private void finish(String run, double loss, Boolean passed) throws IOException {
        done(run, Stage.TRAIN, 60, new TrainingResult(30, 1.5, loss, loss, 50, 61_000, "last", "best"));
        hub.tell(run, new RunUpdate.StageStarted(Stage.EVALUATE));
        done(run, Stage.EVALUATE, 2, new EvaluationResult("best", 30, loss, 1000, 2));
        publish(run, loss, passed);
    }

    private void publish(String run, double loss, Boolean passed) throws IOException {
        Verdict verdict = new Verdict(passed, loss, passed == null ? null : 1.6, "");
        home.run(run).update(record -> record.judged(verdict));
        done(run, Stage.PUBLISH, 1, new PublishingResult(verdict, List.of()));
        close(run, RunStatus.FINISHED);
    }

    @Test
    void theRunInProgressIsShown() throws IOException {
        String run = open(
                "expectation.validationLoss",
                1.6,
                "expectation.referenceLoss",
                1.5,
                "expectation.referenceHellaSwag",
                0.2955,
                "cost.dollarsPerHour",
                36);
        assertThat(value("pacer_runs_active")).isEqualTo(1);
        assertThat(value("pacer_training_step")).isNull();
        trains(run);
        now = now.plusSeconds(10);
        step(run, 7, 3.25);
        event(run, new TrainingEvent.Validated(now, 7, 3.5, 1000, true));
        event(run, TrainingEvent.HellaSwag.of(now, 7, 3, 8));
        event(run, new TrainingEvent.Checkpointed(now, 7, "checkpoints/step-000007", 9 << 20, 250));

        assertThat(value("pacer_training_step")).isEqualTo(7);
        assertThat(value("pacer_hellaswag_accuracy_ratio")).isEqualTo(0.375);
        assertThat(value("pacer_training_planned_steps")).isEqualTo(30);
        assertThat(value("pacer_training_parameters")).isEqualTo(805_760);
        assertThat(value("pacer_training_planned_memory_bytes")).isEqualTo(5 * MILLION);
        assertThat(value("pacer_training_loss_nats")).isEqualTo(3.25);
        assertThat(value("pacer_validation_loss_nats")).isEqualTo(3.5);
        assertThat(value("pacer_expected_loss_nats")).isEqualTo(1.6);
        assertThat(value("pacer_reference_loss_nats")).isEqualTo(1.5);
        assertThat(value("pacer_reference_hellaswag_accuracy_ratio")).isEqualTo(0.2955);
        assertThat(value("pacer_training_learning_rate")).isEqualTo(0.001);
        assertThat(value("pacer_training_gradient_norm")).isEqualTo(1.5);
        assertThat(value("pacer_training_tokens_per_second")).isEqualTo(63_000);
        assertThat(value("pacer_training_remaining_seconds")).isEqualTo(9);
        assertThat(value("pacer_training_mfu_ratio")).as("of a CPU").isNull();
        assertThat(value("pacer_stage_runs{stage=\"train\"}")).isEqualTo(1);
        assertThat(value("pacer_stage_runs{stage=\"evaluate\"}")).isEqualTo(0);
        assertThat(value("pacer_stage_progress_ratio")).isEqualTo(7 / 30.0);
        assertThat(value("pacer_run_worked_seconds")).isEqualTo(10);
        assertThat(value("pacer_run_cost_dollars")).isEqualTo(0.1);
        assertThat(value("pacer_run_ended_timestamp_seconds")).isNull();
        assertThat(value("pacer_training_last_step_timestamp_seconds")).isEqualTo(now.toEpochMilli() / 1e3);
        assertThat(value("pacer_training_started_timestamp_seconds")).isEqualTo(now.toEpochMilli() / 1e3 - 10);
        assertThat(value("pacer_checkpoint_last_timestamp_seconds")).isEqualTo(now.toEpochMilli() / 1e3);
        assertThat(value("pacer_checkpoint_bytes")).isEqualTo(9 << 20);
        assertThat(value("pacer_checkpoint_step")).isEqualTo(7);
        assertThat(Scrape.of(registry).lines("pacer_run_info"))
                .singleElement()
                .asString()
                .contains("run=\"" + run + "\"", "role=\"work\"", "preset=\"quickstart\"", "host=\"host\"", "} 1");
    }

    @Test
    void whatIsOverDoesNotLookAsIfItWentOn() throws IOException {
        String run = open();
        trains(run);
        step(run, 7, 3.25);
        Instant last = now;
        now = now.plusSeconds(100);
        finish(run, 1.58, true);
        now = now.plusSeconds(3600);

        for (String gone : new String[] {
            "pacer_training_step",
            "pacer_training_loss_nats",
            "pacer_training_tokens_per_second",
            "pacer_training_remaining_seconds",
            "pacer_stage_progress_ratio",
            "pacer_validation_loss_nats"
        }) {
            assertThat(value(gone)).as(gone).isNull();
        }
        assertThat(value("pacer_runs_active")).isEqualTo(0);
        assertThat(value("pacer_training_last_step_timestamp_seconds")).isEqualTo(last.toEpochMilli() / 1e3);
        assertThat(value("pacer_run_ended_timestamp_seconds")).isEqualTo(now.toEpochMilli() / 1e3 - 3600);
        assertThat(value("pacer_run_worked_seconds")).as("does not go on").isEqualTo(100);
        assertThat(value("pacer_result_loss_nats")).isEqualTo(1.58);
        assertThat(value("pacer_result_expected_loss_nats")).isEqualTo(1.6);
        assertThat(value("pacer_result_tokens_per_second")).isEqualTo(61_000);
        assertThat(value("pacer_result_worked_seconds")).isEqualTo(100);
        assertThat(value("pacer_result_verdict{verdict=\"passed\"}")).isEqualTo(1);
        assertThat(value("pacer_result_verdict{verdict=\"missed\"}")).isEqualTo(0);
        assertThat(Scrape.of(registry).lines("pacer_run_info")).hasSize(2).allMatch(row -> row.contains(run));
    }

    @Test
    void aRunThatFailedOrWasStoppedIsAtRest() throws IOException {
        String run = open();
        trains(run);
        step(run, 7, 3.25);
        ends(run, Stage.TRAIN, StageRecord.Status.FAILED, 5, null);
        assertThat(value("pacer_runs_active")).isEqualTo(0);
        assertThat(value("pacer_training_loss_nats")).isNull();
        close(run, RunStatus.FAILED);
        assertThat(value("pacer_runs_total{status=\"failed\"}")).isEqualTo(1);
        assertThat(value("pacer_stages_total{outcome=\"failed\",stage=\"train\"}"))
                .isEqualTo(1);
        assertThat(value("pacer_verdicts_total{verdict=\"none\"}")).isEqualTo(0);
        hub.tell(run, new RunUpdate.Notice(Stage.PUBLISH, "the report was not brought up to date"));
        assertThat(value("pacer_training_last_step_timestamp_seconds"))
                .as("last words do not make it another run")
                .isNotNull();
    }

    /** It would fail again: whoever started it has been told, and nobody else is to be woken. */
    @Test
    void aRunThatIsRefusedIsNoFailure() throws IOException {
        TestRuns.runs(home, hub).close(new RunEnding(open(), RunStatus.FAILED, "no such text", true));
        assertThat(value("pacer_runs_total{status=\"refused\"}")).isEqualTo(1);
        assertThat(value("pacer_runs_total{status=\"failed\"}")).isEqualTo(0);

        String diverged = open();
        home.run(diverged).update(record -> record.trainingIn(TestRuns.MACHINE, 0, Instant.now()));
        TestRuns.runs(home, hub).close(new RunEnding(diverged, RunStatus.FAILED, "the loss is not finite", true));
        assertThat(value("pacer_runs_total{status=\"refused\"}")).isEqualTo(1);
        assertThat(value("pacer_runs_total{status=\"failed\"}")).isEqualTo(1);
    }

    @Test
    void eventsAreCounted() throws IOException {
        String run = open();
        assertThat(value("pacer_training_steps_total")).isEqualTo(0);
        assertThat(value("pacer_runs_total{status=\"finished\"}")).isEqualTo(0);
        trains(run);
        for (int step = 1; step <= 3; step++) {
            step(run, step, 4);
        }
        event(run, new TrainingEvent.Skipped(now, 4, Double.NaN, 1, "loss is not finite"));
        event(run, new TrainingEvent.Skipped(now, 4, 3, Double.POSITIVE_INFINITY, "gradient is not finite"));
        event(run, new TrainingEvent.Skipped(now, 5, 9, 1, "the loss is an outlier"));
        event(run, new TrainingEvent.Checkpointed(now, 4, "c", 1000, 250));
        event(run, new TrainingEvent.Checkpointed(now, 8, "c", 1000, 750));
        event(run, new TrainingEvent.Failed(now, 8, "no", true));
        event(run, new TrainingEvent.Started(now, 8, 30, 1, 768, 1, "cpu", 1, "checkpoints/step-000008"));
        hub.tell(run, new RunUpdate.Notice(Stage.TRAIN, "again"));
        finish(run, 1.7, false);

        assertThat(value("pacer_training_steps_total")).isEqualTo(3);
        assertThat(value("pacer_training_tokens_total")).isEqualTo(3 * 768);
        assertThat(value("pacer_training_skipped_steps_total{reason=\"not_finite\"}"))
                .isEqualTo(2);
        assertThat(value("pacer_training_skipped_steps_total{reason=\"outlier\"}"))
                .isEqualTo(1);
        assertThat(value("pacer_training_failures_total")).isEqualTo(1);
        assertThat(value("pacer_training_starts_total{origin=\"beginning\"}")).isEqualTo(1);
        assertThat(value("pacer_training_starts_total{origin=\"checkpoint\"}")).isEqualTo(1);
        assertThat(value("pacer_training_step_duration_seconds_sum")).isCloseTo(0.036, within(1e-9));
        assertThat(value("pacer_training_step_duration_seconds_bucket{le=\"0.01\"}"))
                .isEqualTo(0);
        assertThat(value("pacer_training_step_duration_seconds_bucket{le=\"0.02\"}"))
                .isEqualTo(3);
        assertThat(value("pacer_checkpoints_total")).isEqualTo(2);
        assertThat(value("pacer_checkpoint_written_bytes_total")).isEqualTo(2000);
        assertThat(value("pacer_checkpoint_duration_seconds_sum")).isEqualTo(1);
        assertThat(value("pacer_notices_total{stage=\"train\"}")).isEqualTo(1);
        assertThat(value("pacer_runs_total{status=\"finished\"}")).isEqualTo(1);
        assertThat(value("pacer_verdicts_total{verdict=\"missed\"}")).isEqualTo(1);
        assertThat(value("pacer_stage_duration_seconds_sum{stage=\"train\"}")).isEqualTo(60);
    }

    @Test
    void whatStagingFoundIsCounted() throws IOException {
        String run = open();
        hub.tell(run, new RunUpdate.StageStarted(Stage.STAGE));
        done(run, Stage.STAGE, 1, new StagingResult("d", 5, 1000, 2, 3, 1, 2));
        done(run, Stage.STAGE, 1, new StagingResult("d", 5, 1000, 5, 0, 0, 0));
        assertThat(value("pacer_cache_hits_total")).isEqualTo(7);
        assertThat(value("pacer_cache_misses_total")).isEqualTo(3);
        assertThat(value("pacer_cache_mended_total")).isEqualTo(1);
        assertThat(value("pacer_cache_store_fetches_total")).isEqualTo(2);
        assertThat(value("pacer_cache_staged_bytes_total")).isEqualTo(2000);
        assertThat(value("pacer_stages_total{outcome=\"done\",stage=\"stage\"}"))
                .isEqualTo(1);
        assertThat(value("pacer_stages_total{outcome=\"reused\",stage=\"stage\"}"))
                .isEqualTo(1);
        assertThat(value("pacer_stage_duration_seconds_count{stage=\"stage\"}")).isEqualTo(1);
    }

    @Test
    void aWorkerStartedAgainKnowsTheRunFromItsFolder() throws IOException {
        String run = open("cost.dollarsPerHour", 36, "expectation.validationLoss", 1.6);
        home.run(run)
                .update(record -> new RunRecord(
                        record.id(),
                        record.preset(),
                        record.specHash(),
                        null,
                        record.status(),
                        record.created(),
                        null,
                        "w",
                        record.environment(),
                        List.of(new StageRecord(
                                Stage.STAGE, StageRecord.Status.DONE, "k", now, now, 90, 1, false, "", null)),
                        null,
                        null));
        startWorker();
        assertThat(Scrape.of(registry).lines("pacer_run_info")).isEmpty();
        trains(run);
        now = now.plusSeconds(10);
        step(run, 20, 2);
        assertThat(value("pacer_training_step")).isEqualTo(20);
        assertThat(value("pacer_training_steps_total")).as("of this process").isEqualTo(1);
        assertThat(value("pacer_run_worked_seconds")).isEqualTo(100);
        assertThat(value("pacer_run_cost_dollars")).isEqualTo(1);
        assertThat(value("pacer_expected_loss_nats")).isEqualTo(1.6);
        assertThat(Scrape.of(registry).lines("pacer_run_info")).hasSize(1);
    }

    @Test
    void theRunThatTrainsIsShownWhileAnotherIsPrepared() throws IOException {
        String first = open();
        trains(first);
        step(first, 7, 3.25);
        String second = open();
        hub.tell(second, new RunUpdate.StageStarted(Stage.DATASET));
        assertThat(value("pacer_training_loss_nats")).isEqualTo(3.25);
        assertThat(value("pacer_runs_active")).isEqualTo(2);
        assertThat(value("pacer_stage_runs{stage=\"dataset\"}")).isEqualTo(1);
        assertThat(Scrape.of(registry).lines("pacer_run_info"))
                .singleElement()
                .asString()
                .contains(first);

        // the first is over only after the second has the slot: its result is not lost
        done(first, Stage.TRAIN, 60, new TrainingResult(30, 1.5, 1.5, 1.5, 50, 61_000, "last", "best"));
        hub.tell(first, new RunUpdate.StageStarted(Stage.EVALUATE));
        done(first, Stage.EVALUATE, 2, new EvaluationResult("best", 30, 1.58, 1000, 2));
        hub.tell(first, new RunUpdate.StageStarted(Stage.PUBLISH));
        trains(second);
        step(second, 1, 4.5);
        publish(first, 1.58, true);
        assertThat(value("pacer_training_loss_nats")).isEqualTo(4.5);
        assertThat(value("pacer_result_loss_nats")).isEqualTo(1.58);
        assertThat(Scrape.of(registry).lines("pacer_run_info"))
                .anyMatch(row -> row.contains(second) && row.contains("role=\"work\""))
                .anyMatch(row -> row.contains(first) && row.contains("role=\"result\""));
    }

    @Test
    void aTrainingThatNothingMoreIsHeardOfGivesWayToTheNext() throws IOException {
        String lost = open();
        trains(lost);
        step(lost, 7, 3.25);
        String next = open();
        trains(next);
        step(next, 1, 4.5);
        assertThat(value("pacer_training_loss_nats")).isEqualTo(4.5);
        assertThat(value("pacer_runs_active")).isEqualTo(1);
        assertThat(value("pacer_stage_runs{stage=\"train\"}")).isEqualTo(1);
    }

    @Test
    void aRunWhoseFolderCannotBeReadIsStillFollowed() throws IOException {
        String run = open();
        Files.writeString(home.run(run).recordFile(), "{");
        startWorker();
        trains(run);
        step(run, 7, 3.25);
        assertThat(value("pacer_training_loss_nats")).isEqualTo(3.25);
        assertThat(value("pacer_run_cost_dollars")).isNull();
    }

    @Test
    void promtoolFindsNoFaultInNamesAndTypes() throws Exception {
        Path promtool = promtool();
        Assumptions.assumeTrue(promtool != null, "no promtool: infra/local/install DIR prometheus");
        String finished = open("expectation.validationLoss", 1.6);
        trains(finished);
        finish(finished, 1.58, true);
        String run = open(
                "cost.dollarsPerHour",
                36,
                "expectation.validationLoss",
                1.6,
                "expectation.referenceLoss",
                1.5,
                "expectation.referenceHellaSwag",
                0.2955);
        trains(run);
        step(run, 7, 3.25);
        event(run, new TrainingEvent.Validated(now, 7, 3.5, 1000, true));
        event(run, TrainingEvent.HellaSwag.of(now, 7, 3, 8));
        event(run, new TrainingEvent.Checkpointed(now, 7, "checkpoints/step-000007", 9 << 20, 250));
        Files.createDirectories(home.cache());
        String scrape = Scrape.of(registry).text();
        assertThat(MeterReference.meters())
                .extracting(MeterBook.Meter::name)
                .filteredOn(name -> !name.startsWith("pacer_gpu_")
                        && !name.equals("pacer_training_mfu_ratio")
                        && !name.equals("pacer_run_ended_timestamp_seconds"))
                .as("so that promtool sees them all")
                .allSatisfy(name -> assertThat(scrape).contains("\n" + name));
        Process process = new ProcessBuilder(promtool.toString(), "check", "metrics")
                .redirectErrorStream(true)
                .redirectInput(
                        Files.writeString(folder.resolve("scrape"), scrape).toFile())
                .start();
        assertThat(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .isEmpty();
        assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isEqualTo(0);
    }

    /** Among the local stack's tools, which tests are told of by a property, and a developer has at their usual place. */
    static Path promtool() {
        String usual = System.getenv()
                .getOrDefault("PACER_STACK_TOOLS", System.getProperty("user.home") + "/.cache/pacer/stack");
        String given = System.getProperty("pacer.stack", "");
        String tools = given.isEmpty() ? usual : given;
        Path file = Path.of(tools, "promtool");
        return Files.isExecutable(file) ? file : null;
    }
}
