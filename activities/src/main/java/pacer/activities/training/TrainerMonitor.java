package pacer.activities.training;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Consumer;
import pacer.activities.process.Silence;
import pacer.activities.run.Progress;
import pacer.activities.run.Stage;
import pacer.trainer.checkpoint.EventLog;
import pacer.trainer.event.TrainingEvent;

/** Hears the events of the ranks of one attempt and knows how far it is. */
final class TrainerMonitor {
    /** Weight of the newest step in the mean loss and step time: single ones jump too much to be read. */
    private static final double NEWEST = 0.05;

    private final Consumer<TrainingEvent> events;
    private final Consumer<Progress> progress;
    private TrainingEvent.Started started;
    private TrainingEvent.Finished finished;
    private TrainingEvent.Failed failed;
    private Integer step;
    private String doing; // what takes long at the moment
    private Double loss;
    private Double validationLoss;
    private Double hellaSwag;
    private Double learningRate;
    private double smoothMillis = Double.NaN;
    private final Silence silence = new Silence(); // of all ranks

    /** {@code events} and {@code progress} hear of rank 0. */
    TrainerMonitor(Consumer<TrainingEvent> events, Consumer<Progress> progress) {
        this.events = events;
        this.progress = progress;
    }

    /** Takes a line of a rank's standard output. What is no event (a library printing) counts as nothing. */
    void line(int rank, String line) {
        TrainingEvent event;
        try {
            event = EventLog.parse(line);
        } catch (IOException e) {
            return;
        }
        Progress now = null;
        synchronized (this) {
            silence.broken();
            if (event instanceof TrainingEvent.Failed failure && failed == null) {
                failed = failure;
            }
            if (rank == 0) {
                take(event);
                now = progressNow(event.time());
            }
        }
        if (now != null) {
            events.accept(event);
            progress.accept(now);
        }
    }

    private void take(TrainingEvent event) {
        step = event.step();
        doing = null;
        switch (event) {
            case TrainingEvent.Started e -> started = e;
            case TrainingEvent.Step e -> {
                loss = loss == null ? e.loss() : mixed(loss, e.loss());
                learningRate = e.learningRate();
                smoothMillis = Double.isNaN(smoothMillis) ? e.millis() : mixed(smoothMillis, e.millis());
            }
            case TrainingEvent.Validated e -> validationLoss = e.loss();
            case TrainingEvent.HellaSwag e -> hellaSwag = e.accuracy();
            case TrainingEvent.Working e -> doing = e.inWords();
            case TrainingEvent.Finished e -> finished = e;
            case TrainingEvent.Skipped _,
                    TrainingEvent.Sampled _,
                    TrainingEvent.Checkpointed _,
                    TrainingEvent.Notice _,
                    TrainingEvent.Failed _ -> {}
        }
    }

    private static double mixed(double before, double now) {
        return before + NEWEST * (now - before);
    }

    private Progress progressNow(Instant time) {
        boolean paced = started != null && !Double.isNaN(smoothMillis) && smoothMillis > 0;
        return new Progress(
                Stage.TRAIN,
                time,
                started == null ? null : (double) step / Math.max(1, started.totalSteps()),
                started == null ? "starting" : "training on " + started.place(),
                step,
                started == null ? null : started.totalSteps(),
                loss,
                validationLoss,
                hellaSwag,
                learningRate,
                paced ? started.batchTokens() / smoothMillis * 1000 : null,
                paced ? (started.totalSteps() - step) * smoothMillis / 1000 : null,
                doing,
                null);
    }

    synchronized Optional<TrainingEvent.Finished> finished() {
        return Optional.ofNullable(finished);
    }

    synchronized Optional<TrainingEvent.Failed> failed() {
        return Optional.ofNullable(failed);
    }

    /** Whether rank 0 has begun to train. */
    synchronized boolean begun() {
        return started != null;
    }

    /** The last step heard of. */
    synchronized Optional<Integer> step() {
        return Optional.ofNullable(step);
    }

    /** What took long when it was last heard of. */
    synchronized Optional<String> doing() {
        return Optional.ofNullable(doing);
    }

    /** Whether no rank was heard of for longer than {@code patience}. */
    boolean silentFor(Duration patience) {
        return silence.isLongerThan(patience);
    }
}
