package pacer.workflows.cli;

import java.util.function.LongSupplier;
import pacer.activities.run.Progress;
import pacer.trainer.event.TrainingEvent;

/** How training goes, from events or from the summaries that come from afar; numbers are NaN and steps -1 until known. */
final class Pace {
    /** Weight of the newest step in the loss shown: single batches jump too much to be read. */
    private static final double NEWEST = 0.05;

    private final LongSupplier nanos;
    private int totalSteps = -1;
    private int step = -1;
    private String doing;
    private int firstStep = -1;
    private long firstNanos;
    private long lastNanos;
    private double loss = Double.NaN;
    private double validationLoss = Double.NaN;
    private double learningRate = Double.NaN;
    private double tokensPerSecond = Double.NaN;
    private double toldEta = Double.NaN;

    Pace(LongSupplier nanos) {
        this.nanos = nanos;
    }

    void accept(TrainingEvent event) {
        doing = event instanceof TrainingEvent.Working working ? working.inWords() : null;
        switch (event) {
            case TrainingEvent.Started e -> {
                totalSteps = e.totalSteps();
                step = e.step();
                firstStep = -1;
            }
            case TrainingEvent.Step e -> {
                at(e.step());
                loss = mixed(loss, e.loss());
                learningRate = e.learningRate();
                tokensPerSecond = mixed(tokensPerSecond, e.tokensPerSecond());
            }
            case TrainingEvent.Skipped e -> at(e.step());
            case TrainingEvent.Validated e -> validationLoss = e.loss();
            default -> {
                // says nothing about the pace
            }
        }
    }

    void accept(Progress progress) {
        totalSteps = progress.totalSteps() == null ? totalSteps : progress.totalSteps();
        if (progress.step() != null && progress.step() > step) {
            at(progress.step());
            loss = known(progress.loss(), loss);
            learningRate = known(progress.learningRate(), learningRate);
            tokensPerSecond = known(progress.tokensPerSecond(), tokensPerSecond);
            toldEta = known(progress.etaSeconds(), toldEta);
        }
        validationLoss = known(progress.validationLoss(), validationLoss);
        doing = progress.doing();
        if (Progress.PAUSED.equals(doing)) {
            tokensPerSecond = Double.NaN;
            toldEta = Double.NaN;
            firstStep = -1; // the pause is none of its pace
        }
    }

    private void at(int reached) {
        step = reached;
        lastNanos = nanos.getAsLong();
        if (firstStep < 0) {
            firstStep = reached;
            firstNanos = lastNanos;
        }
    }

    private static double known(Double value, double otherwise) {
        return value == null ? otherwise : value;
    }

    private static double mixed(double before, double now) {
        return Double.isNaN(before) ? now : before + NEWEST * (now - before);
    }

    /** Steps done, or -1. */
    int step() {
        return step;
    }

    /** What takes long at the moment, in words; null while steps come and go. */
    String doing() {
        return doing;
    }

    int totalSteps() {
        return totalSteps;
    }

    /** Share of the steps done; 0 while unknown. */
    double fraction() {
        return totalSteps > 0 && step > 0 ? Math.min(1, (double) step / totalSteps) : 0;
    }

    double loss() {
        return loss;
    }

    double validationLoss() {
        return validationLoss;
    }

    double learningRate() {
        return learningRate;
    }

    double tokensPerSecond() {
        return tokensPerSecond;
    }

    /** Seconds to the last step at the pace so far, measuring and checkpoints included; NaN while unknown. */
    double eta() {
        if (step > firstStep && firstStep >= 0 && totalSteps > 0) {
            double each = (lastNanos - firstNanos) / 1e9 / (step - firstStep);
            double waited = (nanos.getAsLong() - lastNanos) / 1e9;
            return Math.max(0, each * (totalSteps - step) - Math.min(waited, each));
        }
        return toldEta;
    }
}
