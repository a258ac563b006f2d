package pacer.workflows;

import java.util.List;
import java.util.Locale;
import pacer.activities.sweep.PointResult;
import pacer.activities.sweep.SweepPlan;
import pacer.activities.sweep.SweepResult;
import pacer.activities.sweep.SweepRun;

/** The current details of a sweep's page in the Temporal UI: Markdown that its User Metadata tab renders. */
final class SweepDetails {
    /** The service takes 20,000 bytes. */
    private static final int MOST_POINTS = 40;

    private static final int MOST_RUNS = 20;

    private SweepDetails() {}

    /** @param verdict what it came to; null before */
    static String markdown(SweepPlan plan, List<SweepRun> ended, List<String> working, String verdict) {
        String gap = RunDetails.GAP;
        List<PointResult> points = SweepResult.of(plan, ended, null).points();
        StringBuilder page = new StringBuilder("**%s**: %s, %s, %s, %d of %d runs ended\n\n"
                .formatted(
                        plan.id(),
                        plan.preset(),
                        RunPage.count(points.size(), "point"),
                        RunPage.count(plan.seeds().size(), "seed"),
                        ended.size(),
                        plan.runs()));
        page.append("| point%s | runs%s | mean val loss%s | ± | |\n|---|---|---|---|---|\n".formatted(gap, gap, gap));
        for (PointResult point : points.subList(0, Math.min(MOST_POINTS, points.size()))) {
            page.append("| %s%s | %d%s | %s%s | %s%s | %s |\n"
                    .formatted(
                            RunDetails.cell(cut(plan.brief(point.point()))),
                            gap,
                            point.finished(),
                            gap,
                            number(point.mean()),
                            gap,
                            number(point.standardDeviation()),
                            gap,
                            point.missing()));
        }
        more(page, points.size() - MOST_POINTS, "points");
        if (!working.isEmpty()) {
            page.append('\n');
            working.stream().limit(MOST_RUNS).forEach(run -> page.append("- ● ")
                    .append(RunDetails.cell(run))
                    .append('\n'));
            more(page, working.size() - MOST_RUNS, "runs at work");
        }
        List<SweepRun> lost = ended.stream()
                .filter(run -> run.state() != SweepRun.State.FINISHED)
                .toList();
        if (!lost.isEmpty()) {
            page.append('\n');
            lost.stream()
                    .limit(MOST_RUNS)
                    .forEach(run -> page.append("- %s: %s\n".formatted(run.run(), RunDetails.cell(cut(run.told())))));
            more(page, lost.size() - MOST_RUNS, "such runs");
        }
        if (verdict != null) {
            page.append("\n").append(verdict).append('\n');
        }
        return page.toString();
    }

    private static void more(StringBuilder page, int number, String what) {
        if (number > 0) {
            page.append("\n… and %d more %s\n".formatted(number, what));
        }
    }

    private static String cut(String text) {
        return RunPage.cut(text);
    }

    private static String number(Double loss) {
        return loss == null ? "" : String.format(Locale.ROOT, "%.4f", loss);
    }
}
