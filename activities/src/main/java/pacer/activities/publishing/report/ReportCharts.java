package pacer.activities.publishing.report;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import pacer.trainer.event.TrainingEvent.Step;
import pacer.trainer.event.TrainingEvent.Validated;
import pacer.trainer.spec.RunSpec;

/** Curves of loss, learning rate, gradient norm and throughput. */
final class ReportCharts {
    private final RunSpec spec;
    private final RunHistory history;
    private final Series hellaSwag;

    ReportCharts(ReportData data) {
        this.spec = data.spec();
        this.history = data.history();
        this.hellaSwag = data.hellaSwag();
    }

    String html() {
        Chart loss = loss();
        List<Chart> small = Stream.concat(
                        spec.hellaSwag().given() ? Stream.of(hellaSwag()) : Stream.empty(),
                        Stream.of(learningRate(), gradientNorm(), throughput()))
                .toList();
        return "<h2>Training</h2>\n" + drawn(List.of(loss)) + "<div class=\"charts\">\n" + drawn(small) + "</div>\n"
                + missing(Stream.concat(Stream.of(loss), small.stream()));
    }

    private static String drawn(List<Chart> charts) {
        return charts.stream()
                .filter(chart -> !chart.isEmpty())
                .map(Chart::html)
                .collect(Collectors.joining());
    }

    /** One line about the charts that are left out, as there is nothing to draw. */
    private String missing(Stream<Chart> charts) {
        String titles = charts.filter(Chart::isEmpty)
                .map(chart -> chart.title().toLowerCase(Locale.ROOT))
                .collect(Collectors.joining(", "));
        String why = history.steps().isEmpty() && history.skipped().isEmpty()
                ? "no step of training was done"
                : "too little was recorded";
        return titles.isEmpty() ? "" : "<p class=\"none\">No chart of %s: %s.</p>\n".formatted(titles, why);
    }

    private Chart loss() {
        Series raw = history.loss();
        Chart chart = new Chart("Loss", "nats a token", Quantities::loss).log().height(340);
        int reach = reach(raw);
        if (reach > 0) {
            chart.line("each batch", "faint", raw)
                    .line("training, mean of %d steps".formatted(2 * reach + 1), "c1", raw.smoothed(reach));
        } else {
            chart.line("training", "c1", raw);
        }
        chart.dots("validation", "c2", Series.of(history.validations(), Validated::step, Validated::loss));
        if (spec.expectation().referenceLoss() > 0) {
            chart.reference(spec.expectation().referenceLoss(), referenceLabel(spec), Chart.Side.LEFT_BELOW);
        }
        return chart;
    }

    /** {@code reference 1.68: nanoGPT}: the level of the preset's reference, with where it comes from. */
    static String referenceLabel(RunSpec spec) {
        String value = Quantities.plain(spec.expectation().referenceLoss(), 6);
        String source = spec.expectation().source();
        return "reference " + value + (source.isBlank() ? "" : ": " + source);
    }

    private Chart hellaSwag() {
        Chart chart = new Chart("HellaSwag", "% of endings chosen rightly", v -> Quantities.plain(v, 3))
                .dots("HellaSwag", "c2", hellaSwag)
                .reference(25, "25: guessing", Chart.Side.RIGHT_ABOVE);
        double reference = 100 * spec.expectation().referenceHellaSwag();
        if (reference > 0) {
            chart.reference(
                    reference,
                    "reference %s: %s"
                            .formatted(
                                    Quantities.plain(reference, 4),
                                    spec.expectation().source()),
                    Chart.Side.LEFT_BELOW);
        }
        return chart;
    }

    private Chart learningRate() {
        return new Chart("Learning rate", "", Quantities::rate)
                .fromZero()
                .line("learning rate", "c3", Series.of(history.steps(), Step::step, Step::learningRate));
    }

    private Chart gradientNorm() {
        Series raw = Series.of(history.steps(), Step::step, Step::gradientNorm).finite();
        Chart chart = new Chart("Gradient norm", "before clipping", v -> Quantities.plain(v, 3)).log();
        int reach = reach(raw);
        if (reach > 0) {
            chart.line("each step", "faint", raw).line("mean", "c4", raw.smoothed(reach));
        } else {
            chart.line("each step", "c4", raw);
        }
        double clip = spec.train().gradientClip();
        double most = Arrays.stream(raw.y()).max().orElse(0);
        if (clip > 0 && most > clip / 4) { // a threshold far above the curve would only flatten it
            chart.reference(clip, "clipped above " + Quantities.plain(clip, 3), Chart.Side.RIGHT_ABOVE);
        }
        return chart;
    }

    private Chart throughput() {
        List<Step> steps = history.steps();
        Series raw = Series.of(
                        steps.subList(Math.min(1, steps.size()), steps.size()), Step::step, Step::tokensPerSecond)
                .finite();
        Chart chart = new Chart("Throughput", "tokens/s", Quantities::count).fromZero();
        int reach = reach(raw);
        if (reach > 0) {
            chart.line("each step", "faint", raw).line("mean", "c6", raw.smoothed(reach));
        } else {
            chart.line("each step", "c6", raw);
        }
        return chart;
    }

    /** Neighbours on either side that a smoothed curve takes: enough to calm the noise, few enough to show what happens. */
    private static int reach(Series series) {
        return series.size() < 30 ? 0 : Math.max(2, series.size() / 100);
    }
}
