package pacer.activities.record;

import java.util.Arrays;
import java.util.Locale;
import org.apache.commons.statistics.inference.AlternativeHypothesis;
import org.apache.commons.statistics.inference.TTest;

/**
 * Whether the mean validation loss of some runs lies below a target by more than chance: Student's t-test of one sample, one-sided, as the
 * speedrun's records are judged ({@code scipy.stats.ttest_1samp(losses, target, alternative='less')}).
 *
 * <p>The number of runs is settled before the first. Where the losses are looked at several times, each look has an equal part of the level
 * (Bonferroni), so that the chance of a false record in any of them stays within it.
 *
 * @param runs that were looked at
 * @param mean of their losses, nats a token
 * @param standardDeviation of a sample, with n - 1; null for one run
 * @param p the chance of such a mean or a lower one if the true one were the target; null where that cannot be told: one run, or runs without any difference
 * @param target nats a token
 * @param level that p must be below at this look
 */
public record Significance(int runs, double mean, Double standardDeviation, Double p, double target, double level) {
    /** A record counts at p < 0.01. */
    public static final double LEVEL = 0.01;

    /** Looks at {@code losses}, at one of {@code looks} times. */
    public static Significance of(double[] losses, double target, int looks) {
        int n = losses.length;
        double mean = Arrays.stream(losses).average().orElse(Double.NaN);
        double squares =
                Arrays.stream(losses).map(loss -> (loss - mean) * (loss - mean)).sum();
        Double deviation = n < 2 ? null : Math.sqrt(squares / (n - 1));
        Double p = deviation == null || !(deviation > 0)
                ? null
                : TTest.withDefaults()
                        .with(AlternativeHypothesis.LESS_THAN)
                        .withMu(target)
                        .test(losses)
                        .getPValue();
        return new Significance(n, mean, deviation, p, target, LEVEL / looks);
    }

    /** Whether it is a record. */
    public boolean holds() {
        return mean <= target && p != null && p < level;
    }

    /** In a sentence. */
    public String text() {
        String found = String.format(Locale.ROOT, "mean val loss %.4f over %d runs, target %.4f", mean, runs, target);
        if (p == null) {
            return found
                    + (runs < 2 ? "; one run proves nothing" : "; its runs are all the same, which proves nothing");
        }
        return String.format(
                Locale.ROOT,
                "%s: %s at p = %.2g (needed: below %s); standard deviation %.4f",
                found,
                holds() ? "a record" : "no record",
                p,
                Double.toString(level),
                standardDeviation);
    }
}
