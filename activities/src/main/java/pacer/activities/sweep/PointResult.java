package pacer.activities.sweep;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * What a point came to. Means are over the runs that trained all their steps.
 *
 * @param point its place in the plan, from 0
 * @param finished runs that trained all their steps
 * @param stopped those stopped early
 * @param mean validation loss, nats a token; null without a finished run
 * @param standardDeviation of a sample, with n - 1; null below two runs
 * @param tokensPerSecond mean; null likewise
 * @param runs of those finished, the ids
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record PointResult(
        int point,
        Map<String, String> settings,
        int finished,
        int stopped,
        int failed,
        Double mean,
        Double standardDeviation,
        Double tokensPerSecond,
        List<String> runs) {

    /** All points, the best first, then those without a finished run, in the plan's order. */
    static List<PointResult> of(SweepPlan plan, List<SweepRun> runs) {
        List<PointResult> results = new ArrayList<>();
        for (int p = 0; p < plan.points().size(); p++) {
            int point = p;
            results.add(of(
                    point,
                    plan.points().get(point),
                    runs.stream().filter(run -> run.point() == point).toList()));
        }
        results.sort(Comparator.comparing(
                        PointResult::mean, Comparator.nullsLast(Comparator.<Double>naturalOrder())) // NaN after all
                .thenComparing(PointResult::point));
        return results;
    }

    private static PointResult of(int point, SweepPoint of, List<SweepRun> runs) {
        List<SweepRun> whole = runs.stream()
                .filter(run -> run.state() == SweepRun.State.FINISHED)
                .toList();
        double mean =
                whole.stream().mapToDouble(SweepRun::validationLoss).average().orElse(Double.NaN);
        double squares = whole.stream()
                .mapToDouble(run -> (run.validationLoss() - mean) * (run.validationLoss() - mean))
                .sum();
        int n = whole.size();
        return new PointResult(
                point,
                of.settings(),
                n,
                count(runs, SweepRun.State.STOPPED),
                count(runs, SweepRun.State.FAILED),
                n == 0 ? null : mean,
                n < 2 ? null : Math.sqrt(squares / (n - 1)),
                n == 0
                        ? null
                        : whole.stream()
                                .mapToDouble(SweepRun::tokensPerSecond)
                                .average()
                                .orElseThrow(),
                whole.stream().map(SweepRun::run).toList());
    }

    private static int count(List<SweepRun> runs, SweepRun.State state) {
        return (int) runs.stream().filter(run -> run.state() == state).count();
    }

    /** What of its runs did not come to their end: {@code 1 stopped early, 1 failed}; empty where all did. */
    public String missing() {
        List<String> parts = new ArrayList<>();
        if (stopped > 0) {
            parts.add(stopped + " stopped early");
        }
        if (failed > 0) {
            parts.add(failed + " failed");
        }
        return String.join(", ", parts);
    }
}
