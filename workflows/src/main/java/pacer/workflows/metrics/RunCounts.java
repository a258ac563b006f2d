package pacer.workflows.metrics;

import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Histogram;
import pacer.activities.run.RunStatus;
import pacer.activities.run.RunUpdate;
import pacer.activities.run.Stage;
import pacer.activities.run.StageRecord;
import pacer.activities.run.Verdict;
import pacer.activities.staging.StagingResult;
import pacer.trainer.event.TrainingEvent;

/**
 * What is counted of all runs of this process. Each series is there from the start, at 0, so that the first of a kind is seen as an
 * increase.
 */
final class RunCounts {
    /** From the steps of a toy on a CPU to those of a large model that accumulates gradients. */
    private static final double[] STEP_SECONDS = {
        0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 180
    };

    /** From staging what is there already to a training of weeks. */
    private static final double[] STAGE_SECONDS = {1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600, 86400, 7 * 86400};

    private static final double[] CHECKPOINT_SECONDS = {0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300};

    private static final String REFUSED = "refused";
    private static final String NOT_FINITE = "not_finite";
    private static final String OUTLIER = "outlier";

    private final Counter runs;
    private final Counter verdicts;
    private final Counter stages;
    private final Histogram stageSeconds;
    private final Counter notices;
    private final Counter starts;
    private final Counter failures;
    private final Counter steps;
    private final Counter tokens;
    private final Counter skipped;
    private final Histogram stepSeconds;
    private final Counter checkpoints;
    private final Counter checkpointBytes;
    private final Histogram checkpointSeconds;
    private final Counter hits;
    private final Counter misses;
    private final Counter mended;
    private final Counter fromStore;
    private final Counter staged;

    RunCounts(MeterBook book) {
        runs = book.counter(
                "pacer_runs_total",
                "Runs that ended, by how they stand: finished, failed, refused (what it was given is at fault), stopped.",
                "status");
        verdicts = book.counter(
                "pacer_verdicts_total",
                "Verdicts at the end of runs: passed, missed, none (nothing was expected).",
                "verdict");
        stages = book.counter(
                "pacer_stages_total", "Stages that ended: done, reused, failed, stopped.", "stage", "outcome");
        stageSeconds = book.histogram(
                "pacer_stage_duration_seconds", "Time worked on a stage that was done anew.", STAGE_SECONDS, "stage");
        notices = book.counter(
                "pacer_notices_total", "What a person should know: an attempt tried again, a file mended.", "stage");
        starts = book.counter(
                "pacer_training_starts_total", "Trainers that began, from the beginning or a checkpoint.", "origin");
        failures = book.counter("pacer_training_failures_total", "Trainers that said why they failed.");
        steps = book.counter("pacer_training_steps_total", "Optimizer steps taken, those taken again included.");
        tokens = book.counter("pacer_training_tokens_total", "Tokens trained on, those of steps taken again included.");
        skipped = book.counter(
                "pacer_training_skipped_steps_total",
                "Steps without update: a loss or gradient that was not finite (not_finite), or one that the guard left out (outlier).",
                "reason");
        stepSeconds =
                book.histogram("pacer_training_step_duration_seconds", "Wall time of an optimizer step.", STEP_SECONDS);
        checkpoints = book.counter("pacer_checkpoints_total", "Checkpoints written.");
        checkpointBytes = book.counter("pacer_checkpoint_written_bytes_total", "Bytes of all checkpoints written.");
        checkpointSeconds =
                book.histogram("pacer_checkpoint_duration_seconds", "Time to write a checkpoint.", CHECKPOINT_SECONDS);
        hits = book.counter("pacer_cache_hits_total", "Shards that staging found in the cache, sound.");
        misses = book.counter("pacer_cache_misses_total", "Shards that staging had to bring.");
        fromStore = book.counter(
                "pacer_cache_store_fetches_total", "Shards among the missed that came from the store (S3).");
        mended = book.counter("pacer_cache_mended_total", "Shards among the missed that were there, but damaged.");
        staged = book.counter("pacer_cache_staged_bytes_total", "Bytes of shards handed to trainings.");
        begin();
    }

    private void begin() {
        for (String status : new String[] {"finished", "failed", REFUSED, "stopped"}) {
            runs.initLabelValues(status);
        }
        for (String verdict : RunGauges.VERDICTS) {
            verdicts.initLabelValues(verdict);
        }
        for (Stage stage : Stage.values()) {
            stageSeconds.initLabelValues(stage.label());
            notices.initLabelValues(stage.label());
            for (String outcome : new String[] {"done", "reused", "failed", "stopped"}) {
                stages.initLabelValues(stage.label(), outcome);
            }
        }
        skipped.initLabelValues(NOT_FINITE);
        skipped.initLabelValues(OUTLIER);
        starts.initLabelValues("beginning");
        starts.initLabelValues("checkpoint");
    }

    /** Counts {@code update}; {@code run} is null where nothing is known of it. */
    void take(WatchedRun run, RunUpdate update) {
        switch (update) {
            case RunUpdate.Trained(TrainingEvent event) -> take(run, event);
            case RunUpdate.StageEnded(StageRecord record) -> take(record);
            case RunUpdate.Closed closed -> closed(closed);
            case RunUpdate.Notice notice ->
                notices.labelValues(notice.stage().label()).inc();
            case RunUpdate.Opened _,
                    RunUpdate.StageStarted _,
                    RunUpdate.Advanced _,
                    RunUpdate.Evaluated _,
                    RunUpdate.Linked _,
                    RunUpdate.Stalled _ -> {}
        }
    }

    private void closed(RunUpdate.Closed closed) {
        RunStatus status = closed.record().status();
        Verdict verdict = closed.record().verdict();
        if (status == RunStatus.RUNNING) {
            return;
        }
        runs.labelValues(closed.refused() ? REFUSED : MeterBook.label(status)).inc();
        if (status == RunStatus.FINISHED && verdict != null) {
            verdicts.labelValues(RunGauges.verdict(verdict)).inc();
        }
    }

    private void take(WatchedRun run, TrainingEvent event) {
        switch (event) {
            case TrainingEvent.Started e ->
                starts.labelValues(e.resumedFrom() == null ? "beginning" : "checkpoint")
                        .inc();
            case TrainingEvent.Step e -> {
                steps.inc();
                stepSeconds.observe(e.millis() / 1e3);
                if (run != null && run.started != null) {
                    tokens.inc(run.started.batchTokens());
                }
            }
            case TrainingEvent.Skipped e -> skipped.labelValues(reason(e)).inc();
            case TrainingEvent.Checkpointed e -> {
                checkpoints.inc();
                checkpointBytes.inc(e.bytes());
                checkpointSeconds.observe(e.millis() / 1e3);
            }
            case TrainingEvent.Failed _ -> failures.inc();
            case TrainingEvent.Validated _,
                    TrainingEvent.HellaSwag _,
                    TrainingEvent.Sampled _,
                    TrainingEvent.Notice _,
                    TrainingEvent.Working _,
                    TrainingEvent.Finished _ -> {}
        }
    }

    /** The guard judges numbers only. */
    private static String reason(TrainingEvent.Skipped step) {
        return Double.isFinite(step.loss()) && Double.isFinite(step.gradientNorm()) ? OUTLIER : NOT_FINITE;
    }

    private void take(StageRecord record) {
        boolean done = record.status() == StageRecord.Status.DONE;
        String outcome = done && record.reused() ? "reused" : MeterBook.label(record.status());
        stages.labelValues(record.stage().label(), outcome).inc();
        if (done && !record.reused()) {
            stageSeconds.labelValues(record.stage().label()).observe(record.seconds());
        }
        if (done && record.stage() == Stage.STAGE) {
            StagingResult result = record.resultAs(StagingResult.class);
            hits.inc(result.hits());
            misses.inc(result.fetched());
            mended.inc(result.mended());
            fromStore.inc(result.fromStore());
            staged.inc(result.bytes());
        }
    }
}
