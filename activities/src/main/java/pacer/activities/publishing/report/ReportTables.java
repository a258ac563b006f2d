package pacer.activities.publishing.report;

import static pacer.activities.publishing.report.Html.escape;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import pacer.activities.dataset.DatasetResult;
import pacer.activities.run.Environment;
import pacer.activities.run.Stage;
import pacer.activities.run.StageRecord;
import pacer.activities.run.TrainedOn;
import pacer.trainer.event.TrainingEvent;
import pacer.trainer.event.TrainingEvent.Checkpointed;
import pacer.trainer.event.TrainingEvent.Started;

/** Samples, stages, lineage, environment, notices and settings. */
final class ReportTables {
    private static final int MOST_NOTICES = 200;

    private static final int LONGEST_SAMPLE = 6_000;

    private final ReportData data;

    ReportTables(ReportData data) {
        this.data = data;
    }

    String html() {
        return samples() + "<div class=\"columns\">\n" + lineage() + environment() + "</div>\n" + stages() + notices()
                + new ReportSettings(data.spec()).html();
    }

    private String samples() {
        if (data.texts().isEmpty()) {
            return "";
        }
        StringBuilder out = new StringBuilder("<h2>Samples</h2>\n<div class=\"samples\">\n");
        for (ReportData.Sample sample : data.texts()) {
            String text = sample.text();
            String cut = text.length() > LONGEST_SAMPLE ? text.substring(0, LONGEST_SAMPLE) + " …" : text;
            boolean continues = !sample.prompt().isBlank() && cut.startsWith(sample.prompt());
            String rest = continues ? cut.substring(sample.prompt().length()) : cut.strip();
            out.append("<div class=\"card\"><h3>%s</h3><pre>%s%s</pre></div>\n"
                    .formatted(
                            escape(sample.title()),
                            continues ? "<b>" + escape(sample.prompt()) + "</b>" : "",
                            escape(rest)));
        }
        return out.append("</div>\n").toString();
    }

    private String stages() {
        List<StageRecord> stages = data.run().stages();
        if (stages.isEmpty()) {
            return "";
        }
        double total = Math.max(data.seconds(), 1e-9);
        StringBuilder bar = new StringBuilder("<div class=\"stages\">");
        StringBuilder rows = new StringBuilder();
        int number = 0;
        for (StageRecord stage : stages) {
            String style = "c" + (number++ % 6 + 1);
            if (stage.seconds() > 0) {
                bar.append("<span class=\"%s\" style=\"flex:%s\" title=\"%s %s\"></span>"
                        .formatted(
                                style,
                                String.format(Locale.ROOT, "%.4f", stage.seconds() / total),
                                stage.stage().label(),
                                Quantities.duration(stage.seconds())));
            }
            rows.append(
                    "<tr><td class=\"name\"><span class=\"swatch %s\"></span>%s</td><td class=\"number\">%s</td><td class=\"number optional\">%s</td><td>%s</td></tr>\n"
                            .formatted(
                                    style,
                                    stage.stage().title(),
                                    Quantities.duration(stage.seconds()),
                                    String.format(Locale.ROOT, "%.0f%%", 100 * stage.seconds() / total),
                                    escape(told(stage))));
        }
        return "<h2>Time by stage</h2>\n<div class=\"card\">\n" + bar + "</div>\n<table><tbody>\n" + rows
                + "</tbody></table>\n</div>\n";
    }

    private static String told(StageRecord stage) {
        String summary = Objects.requireNonNullElse(stage.summary(), "");
        String attempts = stage.attempts() > 1 ? " (" + stage.attempts() + " attempts)" : "";
        return switch (stage.status()) {
            case DONE -> summary + attempts;
            case RUNNING -> "under way" + attempts;
            case FAILED -> "✗ " + summary + attempts;
            case STOPPED -> (summary.startsWith("stopped") ? "" : "stopped: ") + summary + attempts;
        };
    }

    private String lineage() {
        Rows rows = new Rows();
        Optional<DatasetResult> dataset = data.run().stage(Stage.DATASET).map(s -> s.resultAs(DatasetResult.class));
        rows.code("Spec hash", data.run().specHash());
        Environment machine = data.run().trainedIn();
        if (machine != null && machine.commit() != null) {
            rows.code("Git commit", machine.commit() + (machine.dirty() ? " with uncommitted changes" : ""));
        } else {
            rows.text("Git commit", "unknown: not run from a git checkout");
        }
        rows.text("Seed", Long.toString(data.spec().seed()));
        rows.text(
                "Source",
                dataset.map(DatasetResult::source).orElse(data.spec().dataset().url()));
        dataset.ifPresent(d -> {
            rows.code("Raw file, SHA-256", d.rawSha256());
            rows.code("Dataset", d.hash());
            rows.text(
                    "Tokens",
                    "%s training, %s validation, vocabulary %s (%s)"
                            .formatted(
                                    Quantities.grouped(d.trainTokens()),
                                    Quantities.grouped(d.validationTokens()),
                                    Quantities.grouped(d.vocabulary()),
                                    d.tokenizer().name().toLowerCase(Locale.ROOT)));
        });
        rows.text("Workflow", data.run().workflowId());
        data.history().checkpoints().stream().reduce((a, b) -> b).ifPresent(c -> rows.text("Last checkpoint", told(c)));
        return "<section><h2>Lineage</h2><div class=\"card\">" + rows.table() + "</div></section>\n";
    }

    private static String told(Checkpointed checkpoint) {
        return checkpoint.folder() + ", " + Quantities.bytes(checkpoint.bytes());
    }

    private String environment() {
        Rows rows = new Rows();
        List<Started> starts = data.history().starts();
        if (!starts.isEmpty()) {
            Started last = starts.getLast();
            rows.text("Device", last.device());
            earlierDevices(rows);
            int threads = data.spec().train().threads();
            rows.text(
                    "Processes",
                    last.ranks() + (threads > 0 ? " of " + threads + (threads == 1 ? " thread" : " threads") : ""));
            rows.text("Planned memory", last.plannedBytes() > 0 ? Quantities.bytes(last.plannedBytes()) : null);
            rows.text(
                    "Launches",
                    starts.size() > 1
                            ? starts.size() + ", resumed "
                                    + (starts.size() == 2 ? "once" : starts.size() - 1 + " times")
                            : null);
        }
        Environment machine = data.run().trainedIn();
        if (machine != null) {
            rows.text("Processor", machine.cpu());
            rows.text("Cores", Integer.toString(machine.cores()));
            rows.text("Memory", Quantities.bytes(machine.memoryBytes()));
            rows.text("System", machine.os());
            rows.text("Java", machine.jvm());
            rows.text("Host", machine.host());
            earlierMachines(rows);
        }
        rows.text(
                "Cost",
                data.cost()
                        .map(c -> Quantities.dollars(c) + " at "
                                + Quantities.dollars(data.spec().cost().dollarsPerHour()) + " an hour")
                        .orElse("unknown; give cost.dollarsPerHour"));
        return "<section><h2>Environment</h2><div class=\"card\">" + rows.table() + "</div></section>\n";
    }

    /** What launches before the last one computed with, where that was something else. */
    private void earlierDevices(Rows rows) {
        List<Started> line = data.history().line();
        for (int i = 0; i + 1 < line.size(); i++) {
            if (!line.get(i).device().equals(line.get(i + 1).device())) {
                rows.text(
                        "Device until step "
                                + Quantities.grouped(line.get(i + 1).step()),
                        line.get(i).device());
            }
        }
    }

    private void earlierMachines(Rows rows) {
        List<TrainedOn> all = data.run().trainedOn();
        for (int i = 0; i + 1 < all.size(); i++) {
            Environment there = all.get(i).environment();
            rows.text(
                    "Until step " + Quantities.grouped(all.get(i + 1).fromStep()),
                    "%s, %d cores, %s memory, %s, %s, host %s, pacer %s%s"
                            .formatted(
                                    there.cpu(),
                                    there.cores(),
                                    Quantities.bytes(there.memoryBytes()),
                                    there.os(),
                                    there.jvm(),
                                    there.host(),
                                    there.pacer(),
                                    there.commit() == null
                                            ? ""
                                            : " of " + there.commit()
                                                    + (there.dirty() ? " with uncommitted changes" : "")));
        }
    }

    private String notices() {
        List<TrainingEvent> told = new ArrayList<>();
        told.addAll(data.history().notices());
        told.addAll(data.history().skipped());
        told.addAll(data.history().failures());
        if (told.isEmpty()) {
            return "";
        }
        StringBuilder rows = new StringBuilder();
        if (told.size() > MOST_NOTICES) {
            rows.append("<tr><td></td><td>%s earlier ones are in events.jsonl</td></tr>\n"
                    .formatted(Quantities.grouped(told.size() - MOST_NOTICES)));
        }
        told.stream()
                .sorted(Comparator.comparingInt(TrainingEvent::step))
                .skip(Math.max(0, told.size() - MOST_NOTICES))
                .forEach(event -> {
                    String text =
                            switch (event) {
                                case TrainingEvent.Notice n -> n.text();
                                case TrainingEvent.Skipped s -> "step without update: " + s.reason();
                                case TrainingEvent.Failed f -> "an attempt failed: " + f.reason();
                                default -> "";
                            };
                    rows.append("<tr><td class=\"number\">step %s</td><td>%s</td></tr>\n"
                            .formatted(Quantities.grouped(event.step()), escape(text)));
                });
        return "<h2>Notices</h2>\n<div class=\"card\"><table><tbody>\n" + rows + "</tbody></table></div>\n";
    }

    /** A table of names and values; rows without a value are left out. */
    private static final class Rows {
        private final StringBuilder rows = new StringBuilder();

        void text(String name, String value) {
            add(name, value == null ? null : escape(value));
        }

        void code(String name, String value) {
            add(name, value == null ? null : "<code>" + escape(value) + "</code>");
        }

        private void add(String name, String html) {
            if (html != null && !html.isBlank()) {
                rows.append("<tr><th>")
                        .append(escape(name))
                        .append("</th><td>")
                        .append(html)
                        .append("</td></tr>\n");
            }
        }

        String table() {
            return "<table><tbody>\n" + rows + "</tbody></table>";
        }
    }
}
