package pacer.activities.publishing.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import pacer.activities.evaluation.EvaluationResult;
import pacer.activities.run.RunRecord;
import pacer.activities.run.RunStatus;
import pacer.activities.run.Stage;
import pacer.activities.run.Verdict;
import pacer.trainer.event.TrainingEvent.HellaSwag;
import pacer.trainer.spec.RunSpec;

/**
 * What a report is made of.
 *
 * @param spec the resolved preset
 * @param texts samples written after training
 */
record ReportData(RunRecord run, RunSpec spec, RunHistory history, List<Sample> texts) {

    /** A text written by the model; {@code title} says when and under which name. */
    record Sample(String title, String prompt, String text) {}

    private Verdict verdict() {
        return run.verdict();
    }

    /** The loss that counts: the evaluation's, else the last measured while training. */
    Optional<Double> validationLoss() {
        return verdict() != null
                ? Optional.of(verdict().validationLoss())
                : history.validations().isEmpty()
                        ? Optional.empty()
                        : Optional.of(history.validations().getLast().loss());
    }

    /** HellaSwag over steps, percent: what was measured during training, then the evaluation's. */
    Series hellaSwag() {
        List<HellaSwag> all = new ArrayList<>(history.hellaSwags());
        run.stage(Stage.EVALUATE)
                .map(stage -> stage.resultAs(EvaluationResult.class))
                .filter(measured -> measured.hellaSwag() != null)
                .ifPresent(measured -> all.add(new HellaSwag(
                        run.created(), measured.step(), measured.hellaSwag(), 0, measured.hellaSwagExamples())));
        return Series.of(all, HellaSwag::step, measured -> 100 * measured.accuracy());
    }

    /** Seconds worked on all stages. */
    double seconds() {
        return run.stages().stream().mapToDouble(s -> s.seconds()).sum();
    }

    /** Price of those seconds; empty where the machine's price is not known. */
    Optional<Double> cost() {
        double price = spec.cost().dollarsPerHour();
        return price > 0 ? Optional.of(price * seconds() / 3600) : Optional.empty();
    }

    /** CSS class of the verdict. */
    String tone() {
        if (run.status() == RunStatus.FAILED
                || (verdict() != null && Boolean.FALSE.equals(verdict().passed()))) {
            return "bad";
        }
        return verdict() != null && Boolean.TRUE.equals(verdict().passed()) ? "good" : "";
    }

    /** The verdict, or how the run stands, in one line that begins with a mark. */
    String headline() {
        if (run.status() == RunStatus.FAILED) {
            return "✗ failed" + (run.failure() == null ? "" : ": " + run.failure());
        }
        if (verdict() != null) {
            return switch (verdict().passed()) {
                case null -> "● " + verdict().text();
                case Boolean passed when passed -> "✓ " + verdict().text();
                default -> "✗ " + verdict().text();
            };
        }
        return run.status() == RunStatus.STOPPED
                ? "● stopped" + (run.failure() == null ? "" : ": " + run.failure())
                : "● running";
    }
}
