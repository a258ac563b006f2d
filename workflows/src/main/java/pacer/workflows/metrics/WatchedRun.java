package pacer.workflows.metrics;

import java.time.Duration;
import java.time.Instant;
import pacer.activities.evaluation.EvaluationResult;
import pacer.activities.publishing.PublishingResult;
import pacer.activities.run.Progress;
import pacer.activities.run.RunUpdate;
import pacer.activities.run.Stage;
import pacer.activities.run.StageRecord;
import pacer.activities.run.Verdict;
import pacer.activities.training.TrainingResult;
import pacer.trainer.event.TrainingEvent;

/** What was last heard of one run. Not thread-safe; {@link Meters} guards it. */
final class WatchedRun {
    RunFacts facts; // null while the run's folder could not be read
    Stage stage; // in progress; null between stages and where nobody works on the run
    boolean atWork;
    Instant began;
    Instant ended; // null while it is worked on
    Progress progress; // of the stage in progress
    TrainingEvent.Started started;
    TrainingEvent.Step step;
    TrainingEvent.Validated validated;
    Double hellaSwag; // share of right endings; null before it was measured
    TrainingEvent.Checkpointed checkpoint;
    Instant lastStep; // or, before the first, when the trainer was ready for it
    TrainingResult trained;
    EvaluationResult evaluated;
    Verdict verdict;
    Instant judged;
    private double worked; // seconds of stages that ended
    private Instant stageBegan;

    /** Takes what happened at {@code now}. */
    void take(RunUpdate update, Instant now) {
        switch (update) {
            case RunUpdate.Opened _ -> atWork(now);
            case RunUpdate.StageStarted(Stage begun) -> {
                atWork(now);
                stage = begun;
                stageBegan = now;
                progress = null;
                if (begun == Stage.TRAIN) { // what an attempt before a pause did is long ago, and no sign of a stall
                    started = null;
                    lastStep = null;
                    checkpoint = null;
                }
            }
            case RunUpdate.Advanced(Progress newest) -> progress = newest;
            case RunUpdate.Trained(TrainingEvent event) -> take(event);
            case RunUpdate.StageEnded(StageRecord record) -> take(record, now);
            case RunUpdate.Closed _ -> rest(now);
            case RunUpdate.Evaluated _, RunUpdate.Linked _, RunUpdate.Notice _, RunUpdate.Stalled _ -> {}
        }
    }

    private void take(TrainingEvent event) {
        switch (event) {
            case TrainingEvent.Started e -> {
                started = e;
                lastStep = e.time();
            }
            case TrainingEvent.Step e -> {
                step = e;
                lastStep = e.time();
            }
            case TrainingEvent.Skipped e -> lastStep = e.time();
            case TrainingEvent.Validated e -> validated = e;
            case TrainingEvent.HellaSwag e -> hellaSwag = e.accuracy();
            case TrainingEvent.Checkpointed e -> checkpoint = e;
            case TrainingEvent.Sampled _,
                    TrainingEvent.Notice _,
                    TrainingEvent.Working _,
                    TrainingEvent.Finished _,
                    TrainingEvent.Failed _ -> {}
        }
    }

    private void take(StageRecord record, Instant now) {
        worked = workedSeconds(now);
        stage = null;
        stageBegan = null;
        progress = null;
        if (record.status() != StageRecord.Status.DONE) {
            rest(now);
            return;
        }
        switch (record.stage()) {
            case TRAIN -> trained = record.resultAs(TrainingResult.class);
            case EVALUATE -> {
                evaluated = record.resultAs(EvaluationResult.class);
                hellaSwag = evaluated.hellaSwag() == null ? hellaSwag : evaluated.hellaSwag();
            }
            case PUBLISH -> {
                verdict = record.resultAs(PublishingResult.class).verdict();
                judged = now;
            }
            case DATASET, STAGE -> {}
        }
    }

    private void atWork(Instant now) {
        atWork = true;
        ended = null;
        if (began == null) {
            began = facts == null ? now : facts.record().created();
            // what other processes did of it before this one heard of it
            worked = facts == null
                    ? 0
                    : facts.record().stages().stream()
                            .filter(done -> done.ended() != null)
                            .mapToDouble(StageRecord::seconds)
                            .sum();
        }
    }

    /** Nobody works on it any more. */
    void rest(Instant now) {
        atWork = false;
        ended = now;
        stage = null;
        stageBegan = null;
        progress = null;
    }

    /** Whether it has this worker's only slot for training, so that what gauges show is this run. */
    boolean hasTheSlot() {
        return stage == Stage.TRAIN || stage == Stage.EVALUATE;
    }

    boolean trains() {
        return stage == Stage.TRAIN;
    }

    /** Time worked on its stages until {@code now}. */
    double workedSeconds(Instant now) {
        return stageBegan == null
                ? worked
                : worked + Math.max(0, Duration.between(stageBegan, now).toMillis() / 1e3);
    }

    /** What that cost; null where the spec names no price. */
    Double dollars(Instant now) {
        Double price = facts == null ? null : facts.dollarsPerHour();
        return price == null ? null : price * workedSeconds(now) / 3600;
    }
}
