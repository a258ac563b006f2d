package pacer.activities.publishing.report;

import static pacer.activities.publishing.report.Html.escape;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import pacer.trainer.event.TrainingEvent.Started;
import pacer.trainer.event.TrainingEvent.Validated;
import pacer.trainer.spec.RunSpec;

/** The page as text. */
final class ReportPage {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("d MMM uuuu, HH:mm 'UTC'", Locale.ROOT).withZone(ZoneOffset.UTC);

    private final ReportData data;
    private final Frame frame;

    ReportPage(ReportData data, Frame frame) {
        this.data = data;
        this.frame = frame;
    }

    String html() {
        String title = data.run().preset()
                + data.validationLoss()
                        .map(l -> " · val loss " + Quantities.loss(l))
                        .orElse("");
        return frame.html(title, body());
    }

    private String body() {
        return header() + tiles() + new ReportCharts(data).html() + new ReportTables(data).html() + footer();
    }

    private String header() {
        RunSpec spec = data.spec();
        String about = spec.description().isBlank() ? "" : "<p class=\"about\">" + escape(spec.description()) + "</p>";
        String note = data.run().note() == null || data.run().note().isBlank()
                ? ""
                : "<p class=\"about\">Note: " + escape(data.run().note()) + "</p>";
        return """
                <header>
                <div><p class="brand"><b>pacer</b> · %s</p><h1>%s</h1>%s%s</div>
                <p class="verdict %s">%s</p>
                </header>
                """.formatted(
                        escape(data.run().id()),
                        escape(data.run().preset()),
                        about,
                        note,
                        data.tone(),
                        escape(data.headline()));
    }

    private String tiles() {
        RunSpec spec = data.spec();
        RunHistory history = data.history();
        List<String> tiles = new ArrayList<>();
        data.validationLoss()
                .ifPresent(loss -> tiles.add(
                        tile("validation loss", Quantities.loss(loss), "", measuredAt() + lossContext(spec))));
        Series hellaSwag = data.hellaSwag();
        if (hellaSwag.size() > 0) {
            double reference = spec.expectation().referenceHellaSwag();
            tiles.add(tile(
                    "HellaSwag",
                    "%.2f".formatted(hellaSwag.y()[hellaSwag.size() - 1]),
                    "%",
                    "of " + Quantities.grouped(spec.hellaSwag().examples()) + " endings, guessing gets 25"
                            + (reference > 0 ? "\nreference " + Quantities.plain(100 * reference, 4) : "")));
        }
        tiles.add(tile("time", Quantities.duration(data.seconds()), "", "all stages, " + TIME.format(ended())));
        double speed = history.tokensPerSecond();
        if (Double.isFinite(speed)) {
            tiles.add(tile(
                    "throughput",
                    Quantities.count(speed),
                    "tokens/s",
                    Quantities.brief(spec.train().batchTokens() / speed) + " a step of "
                            + Quantities.grouped(spec.train().batchTokens()) + " tokens"));
        }
        Optional<Started> start = history.starts().stream().reduce((a, b) -> b);
        start.ifPresent(s -> tiles.add(tile("parameters", Quantities.count(s.parameters()), "", model(spec))));
        if (!history.steps().isEmpty()) {
            int steps = history.steps().getLast().step();
            tiles.add(tile(
                    "tokens seen",
                    Quantities.count((double) steps * spec.train().batchTokens()),
                    "",
                    Quantities.grouped(steps) + " of "
                            + Quantities.grouped(spec.train().steps()) + " steps"));
        }
        data.cost()
                .ifPresent(c -> tiles.add(tile(
                        "cost",
                        Quantities.dollars(c),
                        "",
                        "at " + Quantities.dollars(spec.cost().dollarsPerHour()) + " an hour")));
        return "<div class=\"tiles\">\n" + String.join("", tiles) + "</div>\n";
    }

    private Instant ended() {
        return data.run().finished() != null
                ? data.run().finished()
                : data.run().created();
    }

    /** Of a run that did not come to its evaluation, the step that its loss is of. */
    private String measuredAt() {
        List<Validated> measured = data.history().validations();
        return data.run().verdict() != null || measured.isEmpty()
                ? ""
                : "at step " + Quantities.grouped(measured.getLast().step()) + " of "
                        + Quantities.grouped(data.spec().train().steps()) + "\n";
    }

    private static String lossContext(RunSpec spec) {
        List<String> parts = new ArrayList<>();
        if (spec.expectation().validationLoss() > 0) {
            parts.add("expected ≤ " + Quantities.plain(spec.expectation().validationLoss(), 6));
        }
        if (spec.expectation().referenceLoss() > 0) {
            parts.add(ReportCharts.referenceLabel(spec));
        }
        return parts.isEmpty() ? "nats a token" : String.join("\n", parts);
    }

    private static String model(RunSpec spec) {
        return "%d layers, %d heads, %d wide, context %s"
                .formatted(
                        spec.model().layers(),
                        spec.model().heads(),
                        spec.model().width(),
                        Quantities.grouped(spec.model().sequenceLength()));
    }

    private static String tile(String name, String value, String unit, String context) {
        // 5 min 36 s: the numbers large, the units small
        String shown = escape(value).replaceAll(" (min|s|h|d)\\b", " <small>$1</small>");
        return "<div class=\"tile\"><span>%s</span><b>%s%s</b><em>%s</em></div>\n"
                .formatted(
                        escape(name),
                        shown,
                        unit.isEmpty() ? "" : " <small>" + escape(unit) + "</small>",
                        escape(context).replace("\n", "<br/>"));
    }

    private String footer() {
        String version = data.run().environment() == null
                ? ""
                : " " + data.run().environment().pacer();
        return "<footer>Made by pacer%s. The run began %s.</footer>\n"
                .formatted(escape(version), TIME.format(data.run().created()));
    }
}
