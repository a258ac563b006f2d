package pacer.trainer;

import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import pacer.trainer.RunCheckpoints.Resumed;
import pacer.trainer.checkpoint.TrainingState;
import pacer.trainer.checkpoint.TrainingState.Recent;
import pacer.trainer.checkpoint.TrainingState.Skips;
import pacer.trainer.dist.Collectives;
import pacer.trainer.eval.HellaSwag;
import pacer.trainer.eval.TextModel;
import pacer.trainer.eval.ValidationLoss;
import pacer.trainer.event.TrainingEvent;
import pacer.trainer.event.TrainingEvent.Working.Phase;
import pacer.trainer.model.DropoutPlan;
import pacer.trainer.model.Replica;
import pacer.trainer.optim.GradientClip;
import pacer.trainer.optim.Optimizer;
import pacer.trainer.optim.OutlierGuard;
import pacer.trainer.optim.Schedule;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.TrainSpec.NonFinite;

/**
 * The training loop of one rank, top to bottom: data, micro-steps, update, validation, HellaSwag, samples, checkpoints. Everything that
 * happens is told as an event by rank 0; everything that a later attempt needs is in a checkpoint.
 */
final class TrainingRun {

    /** What is asked of a training while it runs, from outside; looked at often. */
    interface Requests {
        /** Nobody asks for anything. */
        Requests NONE = () -> false;

        /** Whether it should stop, with a checkpoint of the last whole step. */
        boolean stop();

        /** Whether a checkpoint was asked for since this was asked last. */
        default boolean takeCheckpoint() {
            return false;
        }
    }

    /** How a run ended. */
    enum End {
        FINISHED,
        /** Asked to stop; a checkpoint was written. */
        STOPPED
    }

    /** More than there are ranks: in a sum over ranks both kinds of requests can be told apart. */
    private static final double CHECKPOINT_ASKED = 1 << 20;

    private final RunSpec spec;
    private final Dataset dataset;
    private final Replica replica;
    private final Optimizer optimizer;
    private final Schedule schedule;
    private final TrainingBatches batches;
    private final Collectives ranks;
    private final RunCheckpoints checkpoints;
    private final SignsOfLife events;
    private final Requests requests;
    private final int lastStep;
    private final ValidationLoss validationLoss;
    private final Optional<HellaSwag> hellaSwag;

    private boolean stopped; // all ranks have agreed to
    private boolean checkpointDue; // likewise
    private int step; // optimizer steps taken, skipped ones included
    private Skips skips = Skips.NONE;
    private OutlierGuard losses = new OutlierGuard(List.of());
    private OutlierGuard gradientNorms = new OutlierGuard(List.of());
    private double lastLoss = Double.NaN;
    private Double validation; // at this step, or null
    private boolean brokenOff; // by a stop: what is due after this step
    private Double best;

    /**
     * Prepares a run.
     *
     * @param events hears what happens; only rank 0's does
     * @param lastStep where it ends: the spec's number of steps unless it was changed since. The schedule stays the spec's, so that what was
     *     trained before is what would have been trained
     * @param hellaSwag the examples, where the spec measures them during training
     */
    TrainingRun(
            RunSpec spec,
            Dataset dataset,
            Replica replica,
            Collectives ranks,
            RunCheckpoints checkpoints,
            SignsOfLife events,
            Requests requests,
            int lastStep,
            Optional<HellaSwag> hellaSwag) {
        this.spec = spec;
        this.dataset = dataset;
        this.replica = replica;
        this.optimizer = Optimizer.of(replica, spec.optimizer(), Ranks.sharding(spec, ranks.rank()));
        this.schedule =
                Schedule.of(spec.schedule(), spec.optimizer(), spec.train().steps());
        this.batches = new TrainingBatches(spec, dataset.training(), ranks.rank());
        this.ranks = ranks;
        this.checkpoints = checkpoints;
        this.events = events;
        this.requests = requests;
        this.lastStep = lastStep;
        this.hellaSwag = hellaSwag;
        this.validationLoss = new ValidationLoss(replica, ranks);
    }

    /** Trains from the newest checkpoint, or from the beginning, to the last step. */
    End run() throws IOException {
        long start = System.nanoTime();
        Optional<Resumed> resumed = checkpoints.restore(replica, optimizer);
        resumed.map(Resumed::state).ifPresent(this::takeUp);
        int first = step;
        followProgress();
        events.accept(started(resumed.map(Resumed::name).orElse(null)));
        dataset.shortfall().ifPresent(text -> events.accept(new TrainingEvent.Notice(Instant.now(), step, text)));
        resumed.ifPresent(this::compareEngines);
        if (step == 0) {
            validateIfDue();
            if (isLast() && resumed.isEmpty() && !stopped) {
                checkpoint(); // nothing is trained: what was measured is kept
            }
        } else if (brokenOff || (validation == null && isValidationDue())) {
            followStep();
        }
        while (!stopped && step < lastStep) {
            if (!isToStop() && takeStep()) {
                followStep();
            }
        }
        if (stopped) {
            checkpoint();
            return End.STOPPED;
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        events.accept(new TrainingEvent.Finished(
                Instant.now(),
                step,
                lastLoss,
                validation == null ? Double.NaN : validation,
                seconds,
                (step - first) * (double) spec.train().batchTokens() / seconds));
        return End.FINISHED;
    }

    /**
     * Whether any rank was asked to stop; a checkpoint asked for is remembered. All ranks ask at the same places, so that all do it at the
     * same one.
     */
    private boolean isToStop() {
        double asked = (requests.stop() ? 1 : 0) + (requests.takeCheckpoint() ? CHECKPOINT_ASKED : 0);
        double all = ranks.allReduce(asked);
        checkpointDue |= all >= CHECKPOINT_ASKED;
        stopped = all % CHECKPOINT_ASKED > 0;
        return stopped;
    }

    /** What is due after a step. A stop breaks it off in validation or HellaSwag; all of it is done again when training goes on. */
    private void followStep() throws IOException {
        boolean improved = validateIfDue();
        if (!stopped) {
            hellaSwagIfDue();
        }
        brokenOff = stopped;
        if (stopped) {
            validation = null;
            return;
        }
        sampleIfDue();
        if (isLast()
                || checkpointDue
                || isDue(spec.checkpoint().everySteps())
                || (improved && spec.checkpoint().keepBest())) {
            checkpoint();
        }
    }

    /** Takes a step; false when a stop has broken it off between micro-steps: then nothing has changed but gradients. */
    private boolean takeStep() {
        long start = System.nanoTime();
        int tokens = spec.train().batchTokens();
        double rate = schedule.learningRate(step);
        replica.zeroGradients(); // a step that was broken off leaves some
        double sum = 0;
        for (int micro = 0; micro < batches.microSteps(); micro++) {
            if (micro > 0 && isToStop()) {
                return false;
            }
            batches.load(step, micro);
            DropoutPlan dropout =
                    new DropoutPlan((float) spec.model().dropout(), spec.seed(), step, batches.firstSequence(micro));
            sum += replica.forwardBackward(batches.inputs(), batches.targets(), 1f / tokens, dropout);
            events.worked(step, Phase.MICRO_STEPS, micro + 1, batches.microSteps());
        }
        replica.reduceGradients();
        optimizer.reduceGradients(ranks);
        double loss = ranks.allReduce(sum) / tokens;
        double norm = optimizer.gradientNorm(ranks);
        step++;
        followProgress();
        lastLoss = loss;
        validation = null;
        if (!Double.isFinite(loss) || !Double.isFinite(norm)) {
            skip(loss, norm);
        } else if (isOutlier(loss, norm)) {
            skips = new Skips(0, skips.inAll() + 1);
        } else {
            optimizer.update(
                    rate, GradientClip.factor(norm, (float) spec.train().gradientClip()), step - skips.inAll());
            optimizer.gatherWeights(ranks);
            skips = new Skips(0, skips.inAll());
            double millis = (System.nanoTime() - start) / 1e6;
            events.accept(new TrainingEvent.Step(Instant.now(), step, loss, norm, rate, millis, tokens / millis * 1e3));
        }
        if (step == 1 && !spec.weights().given()) {
            compareWithUniform(loss);
        }
        return true;
    }

    /** Windows grow with the steps; a run that is extended keeps them as they are at its end. */
    private void followProgress() {
        replica.setProgress(spec.train().progress(step));
    }

    /** Whether the step's loss or gradient is far above those before, which is said; what is looked at is among the latest from now on. */
    private boolean isOutlier(double loss, double norm) {
        double ofLoss = spec.train().outlierLoss() > 0 ? losses.score(loss) : 0;
        double ofNorm = spec.train().outlierGradient() > 0 ? gradientNorms.score(norm) : 0;
        boolean byLoss = ofLoss > spec.train().outlierLoss();
        boolean byNorm = ofNorm > spec.train().outlierGradient();
        if (byLoss || byNorm) {
            events.accept(new TrainingEvent.Skipped(
                    Instant.now(),
                    step,
                    loss,
                    norm,
                    "the %s is an outlier, %.1f standard deviations above the last %d; no update was applied"
                            .formatted(
                                    byLoss ? "loss" : "gradient's norm",
                                    byLoss ? ofLoss : ofNorm,
                                    OutlierGuard.WINDOW)));
        }
        return byLoss || byNorm;
    }

    /** No update from numbers that are none; the policy says whether training goes on. */
    private void skip(double loss, double norm) {
        skips = new Skips(skips.inARow() + 1, skips.inAll() + 1);
        String what = Double.isFinite(loss) ? "gradient" : "loss";
        events.accept(new TrainingEvent.Skipped(
                Instant.now(), step, loss, norm, "the " + what + " is not finite; no update was applied"));
        if (spec.train().nonFinite() == NonFinite.STOP
                || skips.inARow() >= spec.train().maxSkippedInARow()) {
            throw new TrainingFailedException("the " + what + " is not finite at step " + step
                    + (spec.train().nonFinite() == NonFinite.STOP
                            ? " and train.nonFinite is stop"
                            : ", the last of " + skips.inARow() + " steps in a row (train.maxSkippedInARow)")
                    + "; lower optimizer.learningRate, or look at the data around this step");
        }
    }

    /** An untrained model knows nothing: its loss is that of guessing, ln(vocabulary). */
    private void compareWithUniform(double loss) {
        double uniform = lossOfGuessing();
        String verdict = Math.abs(loss - uniform) <= 0.1 * uniform
                ? "as it should be"
                : spec.model().beginsByGuessing()
                        ? "which is far off: look at the initialisation and the data"
                        : "which these first values do not begin by";
        events.accept(new TrainingEvent.Notice(
                Instant.now(),
                step,
                "initial loss %.4f against ln(%d) = %.4f of guessing, %s"
                        .formatted(loss, dataset.manifest().vocabulary(), uniform, verdict)));
    }

    /** A model that has learned something does better than guessing. */
    private void sayIfDiverged(double loss) {
        double guessing = lossOfGuessing();
        if (step > 0 && !(loss <= 1.1 * guessing)) {
            events.accept(new TrainingEvent.Notice(
                    Instant.now(),
                    step,
                    "validation loss %.4f is worse than guessing, ln(%d) = %.4f: training has diverged; lower optimizer.learningRate"
                            .formatted(loss, dataset.manifest().vocabulary(), guessing)));
        }
    }

    private double lossOfGuessing() {
        return Math.log(dataset.manifest().vocabulary());
    }

    private boolean isValidationDue() {
        return dataset.hasValidation() && (isLast() || isDue(spec.evaluation().everySteps()));
    }

    /** Whether the loss is the best so far. */
    private boolean validateIfDue() {
        if (!isValidationDue()) {
            return false;
        }
        Dataset.ValidationWindows windows = dataset.validation(step);
        OptionalDouble measured = validationLoss.measure(
                windows.loader(),
                windows.first(),
                windows.windows(),
                this::isToStop,
                done -> events.worked(step, Phase.VALIDATION, done, windows.windows()));
        if (measured.isEmpty()) {
            return false;
        }
        double loss = measured.getAsDouble();
        validation = loss;
        boolean improved = isBetter(loss, best);
        if (improved) {
            best = loss;
        }
        events.accept(new TrainingEvent.Validated(
                Instant.now(), step, loss, windows.windows() * spec.model().sequenceLength(), improved));
        sayIfDiverged(loss);
        return improved && step > 0;
    }

    /** Only a number can be better: a NaN that counted as the best would be the best for good. */
    static boolean isBetter(double loss, Double best) {
        return Double.isFinite(loss) && (best == null || loss < best);
    }

    private void hellaSwagIfDue() {
        if (!spec.hellaSwag().isDueAfter(step, lastStep)) {
            return;
        }
        HellaSwag asked = hellaSwag.orElseThrow();
        asked.measure(
                        replica,
                        ranks,
                        this::isToStop,
                        done -> events.worked(step, Phase.HELLASWAG, done, asked.count()),
                        _ -> {})
                .ifPresent(
                        right -> events.accept(TrainingEvent.HellaSwag.of(Instant.now(), step, right, asked.count())));
    }

    private void sampleIfDue() {
        if (!isDue(spec.sample().everySteps()) || isLast()) {
            return; // the last samples are the evaluation's
        }
        if (ranks.rank() == 0) {
            sample();
        }
        meetAgain();
    }

    private void sample() {
        TextModel model = TextModel.of(replica, dataset.manifest().tokens());
        int tokens = spec.sample().tokens();
        // whether training goes on without numbers is for the policy on losses to say
        boolean _ =
                Samples.tell(model, spec, step, step, written -> workedAlone(Phase.SAMPLING, written, tokens), events);
    }

    /** Rank 0 has done a piece of what it does alone; the others, in {@link #meetAgain}, learn that it is still at work. */
    private void workedAlone(Phase phase, long done, long total) {
        if (events.worked(step, phase, done, total)) {
            double _ = ranks.allReduce(1);
        }
    }

    /** Where the others wait for rank 0, as long as it says that it works: no rank trains on before. */
    private void meetAgain() {
        while (ranks.allReduce(0) > 0) {
            // rank 0 brings nothing here when it is done
        }
    }

    private void checkpoint() throws IOException {
        long start = System.nanoTime();
        checkpointDue = false;
        var written = checkpoints.save(
                replica,
                optimizer,
                checkpoints.state(
                        step,
                        batches.samples(step),
                        validation,
                        best,
                        skips,
                        new Recent(losses.window(), gradientNorms.window()),
                        replica.description(),
                        brokenOff),
                (done, total) -> events.worked(step, Phase.CHECKPOINT, done, total));
        if (written != null) {
            events.accept(new TrainingEvent.Checkpointed(
                    Instant.now(),
                    step,
                    "checkpoints/" + written.folder().getFileName(),
                    written.bytes(),
                    (System.nanoTime() - start) / 1e6));
        }
    }

    private void takeUp(TrainingState found) {
        step = found.step();
        skips = found.skips();
        Recent recent = found.recent() == null ? Recent.NONE : found.recent();
        losses = new OutlierGuard(recent.losses());
        gradientNorms = new OutlierGuard(recent.gradientNorms());
        best = found.bestValidationLoss();
        validation = found.validationLoss();
        brokenOff = Boolean.TRUE.equals(found.brokenOff());
    }

    /** Libraries, and other numbers of ranks, add up in different orders: who compares this run with another bit for bit should know. */
    private void compareEngines(Resumed found) {
        String before = found.state().engine();
        String then = by(found.state().worldSize(), before == null ? replica.description() : before);
        String now = by(ranks.size(), replica.description());
        if (!then.equals(now)) {
            events.accept(new TrainingEvent.Notice(
                    Instant.now(),
                    step,
                    "from here on the bits differ from those of an undisturbed run: " + found.name()
                            + " was computed by " + then + "; now it is " + now));
        }
    }

    private static String by(int ranks, String engine) {
        return ranks == 1 ? engine : ranks + " ranks of " + engine;
    }

    private TrainingEvent.Started started(String resumedFrom) {
        return new TrainingEvent.Started(
                Instant.now(),
                step,
                lastStep,
                replica.parameters().size(),
                spec.train().batchTokens(),
                ranks.size(),
                replica.description(),
                replica.plannedBytes(),
                resumedFrom);
    }

    private boolean isDue(int everySteps) {
        return everySteps > 0 && step % everySteps == 0;
    }

    private boolean isLast() {
        return step == lastStep;
    }
}
