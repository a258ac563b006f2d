package pacer.activities.sweep;

import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The median stopping rule (Golovin and others, "Google Vizier: A Service for Black-Box Optimization", 2017, section 3.2.2, where the median is of running averages; here it is of the losses at the step, as in Optuna's MedianPruner): a run is hopeless when the best
 * validation loss that it has had is above the median of what other points had at the same step. A point counts once, by the mean of its runs that were measured at that
 * step, so that seeds do not outvote settings. Runs that were stopped count as far as they came: without them the median would be that of the survivors,
 * and the rule ever stricter.
 *
 * @param from which validation of a run on it is judged, counted from 1, those before the first step not counted
 */
public record MedianRule(int from) {
    /** A median of one other is that one: of two points the worse would be stopped at any difference. */
    static final int LEAST_OTHERS = 2;

    /**
     * Whether a run should be stopped, after its newest validation.
     *
     * @param own its validations, in order
     * @param others curves of other points' runs, by point
     * @return why; null where it should not
     */
    public String hopeless(List<Mark> own, Map<Integer, ? extends Collection<List<Mark>>> others) {
        List<Mark> judged = own.stream().filter(mark -> mark.step() > 0).toList();
        if (judged.size() < from) {
            return null;
        }
        int step = judged.getLast().step();
        double best = judged.stream().mapToDouble(MedianRule::loss).min().orElseThrow();
        double[] there = others.values().stream()
                .map(runs -> runs.stream()
                        .flatMap(List::stream)
                        .filter(mark -> mark.step() == step)
                        .mapToDouble(MedianRule::loss)
                        .average())
                .filter(java.util.OptionalDouble::isPresent)
                .mapToDouble(java.util.OptionalDouble::getAsDouble)
                .sorted()
                .toArray();
        if (there.length < LEAST_OTHERS) {
            return null;
        }
        double median = median(there);
        return best > median
                ? String.format(
                        Locale.ROOT,
                        "best val loss %.4f, above %.4f, the median of %d other points at step %,d",
                        best,
                        median,
                        there.length,
                        step)
                : null;
    }

    /** A loss that is no number is worse than any. */
    private static double loss(Mark mark) {
        return Double.isNaN(mark.loss()) ? Double.POSITIVE_INFINITY : mark.loss();
    }

    private static double median(double[] sorted) {
        int half = sorted.length / 2;
        return sorted.length % 2 == 1
                ? sorted[half]
                : Arrays.stream(sorted, half - 1, half + 1).sum() / 2;
    }
}
