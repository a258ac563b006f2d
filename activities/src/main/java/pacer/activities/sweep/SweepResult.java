package pacer.activities.sweep;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * How a sweep stands or ended: {@code sweep.json}, and the workflow's result.
 *
 * @param runs those that ended, in the sweep's order
 * @param points the best first
 * @param complete whether all runs ended
 * @param ending why it ended before that; null where it did not, or is not over
 * @param text all of it in a sentence
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record SweepResult(
        SweepPlan plan, List<SweepRun> runs, List<PointResult> points, boolean complete, String ending, String text) {

    /**
     * What {@code runs} come to.
     *
     * @param ending why it ended early; null where it did not, or is not over
     */
    public static SweepResult of(SweepPlan plan, List<SweepRun> runs, String ending) {
        List<PointResult> points = PointResult.of(plan, runs);
        boolean complete = runs.size() == plan.runs();
        StringBuilder text = new StringBuilder(best(plan, points));
        if (!complete) {
            text.append("; %d of %d runs ended".formatted(runs.size(), plan.runs()));
        }
        long failed =
                runs.stream().filter(r -> r.state() == SweepRun.State.FAILED).count();
        if (failed > 0) {
            text.append("; %d failed".formatted(failed));
        }
        if (ending != null) {
            text.append("; ended before its last run: ").append(ending);
        }
        return new SweepResult(plan, List.copyOf(runs), points, complete, ending, text.toString());
    }

    /** The point of the lowest mean; empty where no run came to its end. */
    public Optional<PointResult> best() {
        return Optional.of(points.getFirst()).filter(p -> p.mean() != null && Double.isFinite(p.mean()));
    }

    /** Whether it may be gone on with: something failed, or did not come to its turn. */
    public boolean goesOn() {
        return !complete || runs.stream().anyMatch(r -> r.state() == SweepRun.State.FAILED);
    }

    private static String best(SweepPlan plan, List<PointResult> points) {
        PointResult best = points.getFirst();
        if (best.mean() == null || !Double.isFinite(best.mean())) {
            return "no best: no run came to its end with a loss";
        }
        String said = "best: %s, val loss %s".formatted(plan.brief(best.point()), loss(best));
        if (points.size() == 1 || points.get(1).mean() == null) {
            return said;
        }
        PointResult next = points.get(1);
        double ahead = next.mean() - best.mean();
        said += String.format(Locale.ROOT, "; %.4f ahead of %s", ahead, plan.brief(next.point()));
        double spread = Math.max(spread(best), spread(next));
        return best.finished() < 2 || next.finished() < 2
                ? said + ", by one seed, whose spread is not known"
                : ahead <= spread ? said + ", which is within the spread of their seeds" : said;
    }

    private static double spread(PointResult point) {
        return point.standardDeviation() == null ? 0 : point.standardDeviation();
    }

    private static String loss(PointResult point) {
        String mean = String.format(Locale.ROOT, "%.4f", point.mean());
        return point.standardDeviation() == null
                ? mean
                : String.format(
                        Locale.ROOT, "%s ± %.4f over %d seeds", mean, point.standardDeviation(), point.finished());
    }
}
