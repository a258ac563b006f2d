package pacer.workflows.metrics;

import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import pacer.activities.run.Stage;
import pacer.activities.run.Verdict;
import pacer.workflows.metrics.MeterBook.Point;

/** What is so at the moment, read from the runs when Prometheus asks. */
final class RunGauges {
    static final List<String> VERDICTS = List.of("passed", "missed", "none");

    private RunGauges() {}

    static void register(MeterBook book, Meters meters) {
        pipeline(book, meters);
        training(book, meters);
        checkpoints(book, meters);
        result(book, meters);
    }

    private static void pipeline(MeterBook book, Meters meters) {
        book.gauge("pacer_runs_active", "Runs that this worker works on.", () -> meters.number(run -> run.atWork));
        book.gauge(
                "pacer_stage_runs",
                "Runs whose stage this is at the moment.",
                new String[] {"stage"},
                () -> Arrays.stream(Stage.values())
                        .map(stage -> Point.of(meters.number(run -> run.stage == stage), stage.label())));
        book.gauge(
                "pacer_stage_progress_ratio",
                "How far the run's stage is, 0 to 1; absent where that is not known.",
                meters.atWork(run -> run.progress == null ? null : run.progress.fraction()));
        book.gauge(
                "pacer_run_created_timestamp_seconds",
                "When the run was made.",
                meters.ofRun(run -> seconds(run.began)));
        book.gauge(
                "pacer_run_ended_timestamp_seconds",
                "When the run was over; absent while it is worked on.",
                meters.ofRun(run -> seconds(run.ended)));
        book.gauge(
                "pacer_run_worked_seconds",
                "Time worked on the run's stages so far.",
                meters.ofRun(run -> run.workedSeconds(meters.now())));
        book.gauge(
                "pacer_run_cost_dollars",
                "Cost of the time worked on the run; absent where cost.dollarsPerHour is not given.",
                meters.ofRun(run -> run.dollars(meters.now())));
    }

    private static void training(MeterBook book, Meters meters) {
        book.gauge(
                "pacer_training_step",
                "Optimizer steps completed.",
                meters.atWork(run -> run.step == null ? null : run.step.step()));
        book.gauge(
                "pacer_training_planned_steps",
                "Optimizer steps that there will be.",
                meters.atWork(run -> run.started == null ? null : run.started.totalSteps()));
        book.gauge(
                "pacer_training_parameters",
                "Parameters of the model.",
                meters.atWork(run -> run.started == null ? null : run.started.parameters()));
        book.gauge(
                "pacer_training_planned_memory_bytes",
                "Memory that the trainer planned for all its tensors.",
                meters.atWork(run -> run.started == null ? null : run.started.plannedBytes()));
        book.gauge(
                "pacer_training_loss_nats",
                "Mean cross-entropy a token of the last step's batch.",
                meters.atWork(run -> run.step == null ? null : run.step.loss()));
        book.gauge(
                "pacer_validation_loss_nats",
                "Validation loss a token, measured last during training.",
                meters.atWork(run -> run.validated == null ? null : run.validated.loss()));
        book.gauge(
                "pacer_hellaswag_accuracy_ratio",
                "Share of HellaSwag's endings that were chosen rightly, 0 to 1, measured last; absent where it is not measured.",
                meters.atWork(run -> run.hellaSwag));
        book.gauge(
                "pacer_reference_hellaswag_accuracy_ratio",
                "A published share of HellaSwag's endings chosen rightly of the preset, 0 to 1; absent for none.",
                meters.atWork(run -> run.facts == null ? null : run.facts.referenceHellaSwag()));
        book.gauge(
                "pacer_reference_loss_nats",
                "A published validation loss of the preset; absent for none.",
                meters.atWork(run -> run.facts == null ? null : run.facts.reference()));
        book.gauge(
                "pacer_expected_loss_nats",
                "The validation loss to reach; absent where nothing is expected.",
                meters.atWork(run -> run.facts == null ? null : run.facts.expected()));
        book.gauge(
                "pacer_training_learning_rate",
                "Learning rate of the last step.",
                meters.atWork(run -> run.step == null ? null : run.step.learningRate()));
        book.gauge(
                "pacer_training_gradient_norm",
                "Global norm of the last step's gradients before clipping.",
                meters.atWork(run -> run.step == null ? null : run.step.gradientNorm()));
        book.gauge(
                "pacer_training_tokens_per_second",
                "Throughput, smoothed over some steps; only while it trains.",
                meters.training(RunGauges::throughput));
        book.gauge(
                "pacer_training_remaining_seconds",
                "Time that the training still takes at this pace; only while it trains.",
                meters.training(run -> run.progress == null ? null : run.progress.etaSeconds()));
        book.gauge(
                "pacer_training_mfu_ratio",
                "Model FLOP/s beside the devices' peak, 0 to 1; absent where the peak is not known, as a CPU's.",
                meters.training(run -> run.facts == null || run.started == null
                        ? null
                        : Utilization.of(run.facts.spec(), run.started, throughput(run))));
        book.gauge(
                "pacer_training_started_timestamp_seconds",
                "When the trainer was ready for its first step, or its first after a resume.",
                meters.ofRun(run -> run.started == null ? null : seconds(run.started.time())));
        book.gauge(
                "pacer_training_last_step_timestamp_seconds",
                "When the last step was done; before the first, when the trainer was ready for it.",
                meters.ofRun(run -> seconds(run.lastStep)));
    }

    private static void checkpoints(MeterBook book, Meters meters) {
        book.gauge(
                "pacer_checkpoint_step",
                "Step of the newest checkpoint that this process saw written.",
                meters.atWork(run -> run.checkpoint == null ? null : run.checkpoint.step()));
        book.gauge(
                "pacer_checkpoint_bytes",
                "Size of the newest checkpoint.",
                meters.atWork(run -> run.checkpoint == null ? null : run.checkpoint.bytes()));
        book.gauge(
                "pacer_checkpoint_last_timestamp_seconds",
                "When the newest checkpoint was complete.",
                meters.ofRun(run -> run.checkpoint == null ? null : seconds(run.checkpoint.time())));
    }

    private static void result(MeterBook book, Meters meters) {
        book.gauge(
                "pacer_result_loss_nats",
                "Validation loss of the run judged last.",
                meters.ofResult(run -> run.verdict.validationLoss()));
        book.gauge(
                "pacer_result_expected_loss_nats",
                "The validation loss that the run judged last was to reach; absent where nothing was expected.",
                meters.ofResult(run -> run.verdict.expected()));
        book.gauge(
                "pacer_result_tokens_per_second",
                "Throughput of the run judged last, over all its steps.",
                meters.ofResult(run -> run.trained == null ? null : run.trained.tokensPerSecond()));
        book.gauge(
                "pacer_result_worked_seconds",
                "Time worked on all stages of the run judged last.",
                meters.ofResult(run -> run.workedSeconds(meters.now())));
        book.gauge(
                "pacer_result_timestamp_seconds",
                "When the run judged last was judged.",
                meters.ofResult(run -> seconds(run.judged)));
        book.gauge(
                "pacer_result_verdict",
                "Verdict on the run judged last, 1 for what it is, 0 for the others: passed, missed, none.",
                new String[] {"verdict"},
                () -> {
                    Verdict verdict = meters.ofResult(run -> run.verdict).get();
                    return verdict == null
                            ? Stream.of()
                            : VERDICTS.stream().map(name -> Point.of(name.equals(verdict(verdict)) ? 1 : 0, name));
                });
    }

    private static Double throughput(WatchedRun run) {
        return run.progress == null ? null : run.progress.tokensPerSecond();
    }

    static String verdict(Verdict verdict) {
        return verdict.passed() == null ? "none" : verdict.passed() ? "passed" : "missed";
    }

    private static Double seconds(Instant time) {
        return time == null ? null : time.toEpochMilli() / 1e3;
    }
}
