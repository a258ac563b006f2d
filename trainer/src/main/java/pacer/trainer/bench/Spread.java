package pacer.trainer.bench;

import java.util.Arrays;

/**
 * How measurements of one thing lie: percentiles, linear between neighbours as {@code numpy.percentile} has them.
 *
 * @param median half lie below
 * @param p10 a tenth lies below
 * @param p90 a tenth lies above
 */
public record Spread(double median, double p10, double p90) {

    /** The spread of at least one measurement. */
    public static Spread of(double[] measurements) {
        double[] sorted = measurements.clone();
        Arrays.sort(sorted);
        return new Spread(percentile(sorted, 0.5), percentile(sorted, 0.1), percentile(sorted, 0.9));
    }

    /** The middle of at least one measurement; the mean of the two in the middle where their number is even. */
    public static double median(double[] measurements) {
        return of(measurements).median();
    }

    private static double percentile(double[] sorted, double part) {
        if (sorted.length == 0) {
            throw new IllegalArgumentException("no measurements");
        }
        double at = part * (sorted.length - 1);
        int below = (int) at;
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
    }
}
