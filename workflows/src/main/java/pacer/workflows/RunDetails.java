package pacer.workflows;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import pacer.activities.run.Progress;
import pacer.activities.run.RunPlan;
import pacer.workflows.PipelineProgress.StageLine;

/** The current details of a run's page in the Temporal UI: Markdown that its User Metadata tab renders. */
final class RunDetails {
    /** The page shows cells without a margin; a blank at the end of one would be taken away. */
    static final String GAP = "\u2003";

    /** {@code --steps}, or {@code --set a.b=value} as far as its value is of plain characters. */
    private static final Pattern OPTION =
            Pattern.compile("(?<![\\w-])--[a-z][a-z-]*(?: [A-Za-z][\\w.]*=[\\w.:/=%+@~-]*)?");

    private static final DateTimeFormatter MINUTE =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm", Locale.ROOT).withZone(ZoneOffset.UTC);

    private RunDetails() {}

    /**
     * A training that waits to be resumed.
     *
     * @param workflow id of the run's workflow, by which it is resumed
     */
    record Pause(Instant since, String workflow) {}

    /**
     * The page.
     *
     * @param note of whoever started the run: runs started in the UI have no details from the start that would show it; may be null
     * @param links addresses of other pages, by name
     * @param now the newest of the stage at work; null when it has said nothing yet
     * @param pause null while its training is not paused
     * @param ending how the run ended, or what its end waits for; null before
     */
    static String markdown(
            RunPlan plan,
            String note,
            Map<String, String> links,
            List<StageLine> stages,
            Progress now,
            Pause pause,
            String ending) {
        StringBuilder page = new StringBuilder();
        page.append("**").append(plan.run()).append("**: ").append(plan.model()).append("\n\n");
        if (note != null && !note.isBlank()) {
            page.append("> ").append(cell(note.strip())).append("\n\n");
        }
        page.append("| stage%s | state%s | |\n|---|---|---|\n".formatted(GAP, GAP));
        for (StageLine line : stages) {
            String text = line.summary();
            if (text == null && now != null && now.stage() == line.stage()) {
                text = now.text();
            }
            page.append("| %s%s | %s%s | %s |\n"
                    .formatted(line.stage().label(), GAP, state(line, pause != null), GAP, cell(text)));
        }
        if (now != null && now.step() != null) {
            page.append(numbers(plan, pause == null ? now : now.atRest()));
        }
        if (pause != null && ending == null) {
            page.append(said(pause, now));
        }
        if (ending != null) {
            page.append("\n**").append(cell(ending)).append("**\n");
        }
        if (!links.isEmpty()) {
            page.append('\n')
                    .append(links.entrySet().stream()
                            .map(link -> "[%s](%s)".formatted(link.getKey(), link.getValue()))
                            .collect(Collectors.joining(" · ")))
                    .append('\n');
        }
        return page.toString();
    }

    private static String said(Pause pause, Progress now) {
        String step = now == null || now.step() == null ? "" : number(" at step %,.0f", now.step());
        return "\n**paused since %s UTC%s.** The update `resume` goes on with it: *Send an Update* on this page, or `temporal workflow update execute --workflow-id %s --name resume`. Its host trains other runs meanwhile.\n"
                .formatted(MINUTE.format(pause.since()), step, pause.workflow());
    }

    private static String state(StageLine line, boolean paused) {
        return state(line.state(), paused);
    }

    static String state(String state, boolean paused) {
        return switch (state) {
            case "done" -> "✓\u00a0done";
            case "failed" -> "✗\u00a0failed";
            case "running" -> paused ? "●\u00a0paused" : "●\u00a0running";
            default -> "●\u00a0" + state;
        };
    }

    private static String numbers(RunPlan plan, Progress p) {
        List<String> names = new ArrayList<>();
        List<String> values = new ArrayList<>();
        put(
                names,
                values,
                "step",
                "%,d of %,d".formatted(p.step(), p.totalSteps() == null ? plan.steps() : p.totalSteps()));
        put(names, values, "loss", p.loss() == null ? null : number("%.4f", p.loss()));
        put(names, values, "val loss", p.validationLoss() == null ? null : number("%.4f", p.validationLoss()));
        put(names, values, "HellaSwag", p.hellaSwag() == null ? null : number("%.2f%%", 100 * p.hellaSwag()));
        put(names, values, "tokens/s", p.tokensPerSecond() == null ? null : number("%,.0f", p.tokensPerSecond()));
        put(names, values, "left", p.etaSeconds() == null ? null : shown(p.etaSeconds()));
        put(names, values, "cost so far", cost(plan, p.spentSeconds()));
        put(names, values, "doing", p.doing());
        return "\n| " + String.join(" | ", names) + " |\n" + "|---".repeat(names.size()) + "|\n| "
                + String.join(" | ", values) + " |\n";
    }

    private static void put(List<String> names, List<String> values, String name, String value) {
        if (value != null) {
            names.add(name + GAP);
            values.add(cell(value) + GAP);
        }
    }

    /** Null where the machine's price is not known, or the run's worker, one of before, does not tell what it spent. */
    private static String cost(RunPlan plan, Double seconds) {
        return plan.page() == null || plan.page().dollarsPerHour() == 0 || seconds == null
                ? null
                : number("%.2f USD", seconds / 3600 * plan.page().dollarsPerHour());
    }

    private static String number(String format, double value) {
        return String.format(Locale.ROOT, format, value);
    }

    /** Text from elsewhere must not begin a cell, a heading or a picture, and options stay as they are typed: the page makes a dash of two hyphens. */
    static String cell(String text) {
        return text == null
                ? ""
                : asCode(text)
                        .replace("\\", "\\\\")
                        .replace("|", "\\|")
                        .replace("<", "&lt;")
                        .replace("[", "\\[")
                        .replaceAll("\\s*\\n\\s*", " ");
    }

    private static String asCode(String text) {
        return text.indexOf('`') >= 0 ? text : OPTION.matcher(text).replaceAll("`$0`");
    }

    static String shown(double seconds) {
        Duration time = Duration.ofSeconds(Math.round(seconds));
        return time.toHours() > 0
                ? "%d h %02d min".formatted(time.toHours(), time.toMinutesPart())
                : "%d:%02d min".formatted(time.toMinutes(), time.toSecondsPart());
    }
}
