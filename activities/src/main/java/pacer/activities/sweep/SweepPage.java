package pacer.activities.sweep;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import pacer.activities.publishing.report.ComparisonPage;
import pacer.activities.publishing.report.ComparisonPage.Contender;
import pacer.activities.publishing.report.Quantities;
import pacer.activities.publishing.report.Series;

/** How a sweep stands, for people: {@code sweep.md}, and the page with the curves. */
final class SweepPage {
    private SweepPage() {}

    static String markdown(SweepResult result) {
        SweepPlan plan = result.plan();
        StringBuilder page = new StringBuilder();
        page.append("# ")
                .append(plan.id())
                .append("\n\n**")
                .append(result.text())
                .append("**\n\n");
        page.append(rule(plan)).append("\n\n");
        page.append("| point | runs | mean val loss | standard deviation | tokens/s | |\n|---|--:|--:|--:|--:|---|\n");
        for (PointResult point : result.points()) {
            List<String> cells = cells(plan, point);
            page.append("| %s | %s |\n"
                    .formatted(
                            cell(plan.points().get(point.point()).label()),
                            cells.stream().map(SweepPage::cell).collect(Collectors.joining(" | "))));
        }
        result.best()
                .ifPresent(best -> page.append(
                        "\nTo train with the best's settings: `%s`\n".formatted(command(plan, best.point()))));
        if (!result.runs().isEmpty()) {
            page.append("\n| run | point | seed | what became of it |\n|---|---|--:|---|\n");
            for (SweepRun run : byLoss(result.runs())) {
                page.append("| %s | %s | %d | %s |\n"
                        .formatted(
                                run.run(), cell(plan.points().get(run.point()).label()), run.seed(), cell(run.told())));
            }
        }
        return page.toString();
    }

    /** Those that came to their end by their loss, then those that were stopped, then those that failed. */
    private static List<SweepRun> byLoss(List<SweepRun> runs) {
        return runs.stream()
                .sorted(Comparator.comparing(SweepRun::state)
                        .thenComparing(
                                SweepRun::validationLoss,
                                Comparator.nullsLast(Comparator.<Double>naturalOrder()))) // NaN after all numbers
                .toList();
    }

    private static String cell(String text) {
        return text.replace("|", "\\|").replaceAll("\\s*\\n\\s*", " ");
    }

    /** The command that trains a point's settings. */
    static String command(SweepPlan plan, int point) {
        // where the settings are files, those of a run are the whole of them
        String base = plan.request().preset() != null && plan.request().config().isEmpty()
                ? plan.request().preset()
                : plan.id()
                        + "-p%d-s%d/preset.yaml"
                                .formatted(point + 1, plan.seeds().getFirst());
        List<String> sets = new ArrayList<>();
        if (base.equals(plan.request().preset())) {
            plan.request().overrides().forEach((path, value) -> sets.add(path + "=" + value));
            sets.addAll(plan.request().sets());
            for (Map.Entry<String, String> varied :
                    plan.points().get(point).settings().entrySet()) {
                sets.add(varied.getKey() + "=" + varied.getValue());
            }
        }
        return "pacer run " + base
                + sets.stream()
                        .map(set -> " --set '" + set.replace("'", "'\\''") + "'")
                        .collect(Collectors.joining());
    }

    private static String rule(SweepPlan plan) {
        String rule = "%d %s of %s, %s, settled before the first run."
                .formatted(
                        plan.points().size(),
                        plan.points().size() == 1 ? "point" : "points",
                        plan.preset(),
                        plan.seeds().size() == 1
                                ? "seed " + plan.seeds().getFirst()
                                : "seeds " + plan.seeds().getFirst() + " to "
                                        + plan.seeds().getLast());
        if (plan.stopEarly() != null) {
            rule +=
                    (" From its validation %d on a run is stopped once its best val loss is above the median of the other points' at the same step (the median"
                                    + " stopping rule of Golovin et al., Google Vizier, 2017, over losses at one step); stopped runs count in no mean.")
                            .formatted(plan.stopEarly());
        }
        return plan.caution() == null ? rule : rule + " " + plan.caution() + ".";
    }

    /** Runs, mean, spread, speed, and what did not come to its end. */
    private static List<String> cells(SweepPlan plan, PointResult point) {
        return List.of(
                "%d of %d".formatted(point.finished(), plan.seeds().size()),
                point.mean() == null ? "" : Quantities.loss(point.mean()),
                point.standardDeviation() == null ? "" : String.format(Locale.ROOT, "%.4f", point.standardDeviation()),
                point.tokensPerSecond() == null ? "" : Quantities.grouped(Math.round(point.tokensPerSecond())),
                point.missing());
    }

    static String html(SweepResult result) throws IOException {
        SweepPlan plan = result.plan();
        List<Contender> contenders = new ArrayList<>();
        for (PointResult point : result.points()) {
            List<SweepRun> runs = result.runs().stream()
                    .filter(run -> run.point() == point.point())
                    .toList();
            contenders.add(new Contender(
                    plan.brief(point.point()),
                    runs.stream().map(run -> series(run.training())).toList(),
                    runs.stream().map(run -> series(run.validations())).toList(),
                    cells(plan, point)));
        }
        return new ComparisonPage(
                        plan.id(),
                        plan.preset(),
                        rule(plan),
                        result.text(),
                        result.complete() && result.best().isPresent(),
                        List.of("runs", "mean val loss", "sd", "tokens/s", ""),
                        contenders,
                        result.best().map(best -> command(plan, best.point())).orElse(null),
                        byLoss(result.runs()).stream()
                                .map(run -> List.of(
                                        run.run(), plan.brief(run.point()), Long.toString(run.seed()), run.told()))
                                .toList())
                .html();
    }

    private static Series series(List<Mark> marks) {
        return Series.of(marks, Mark::step, Mark::loss);
    }
}
