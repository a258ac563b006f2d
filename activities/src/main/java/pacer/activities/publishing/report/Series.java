package pacer.activities.publishing.report;

import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** Points of a curve in the order of {@code x}, one y an x. */
public final class Series {
    private final double[] x;
    private final double[] y;

    /** The arrays are not copied. */
    public Series(double[] x, double[] y) {
        if (x.length != y.length) {
            throw new IllegalArgumentException("series of " + x.length + " x and " + y.length + " y");
        }
        this.x = x;
        this.y = y;
    }

    /** A curve over items that carry both coordinates. */
    public static <T> Series of(List<T> items, ToDoubleFunction<T> x, ToDoubleFunction<T> y) {
        return new Series(
                items.stream().mapToDouble(x).toArray(),
                items.stream().mapToDouble(y).toArray());
    }

    public double[] x() {
        return x;
    }

    public double[] y() {
        return y;
    }

    public int size() {
        return x.length;
    }

    /** Without the points whose y is no finite number. */
    public Series finite() {
        double[] xs = new double[size()];
        double[] ys = new double[size()];
        int n = 0;
        for (int i = 0; i < size(); i++) {
            if (Double.isFinite(y[i])) {
                xs[n] = x[i];
                ys[n++] = y[i];
            }
        }
        return new Series(Arrays.copyOf(xs, n), Arrays.copyOf(ys, n));
    }

    /**
     * Mean of each point and up to {@code reach} neighbours on either side. At the beginning, where losses fall fast, equally many
     * on both sides, so that the fall is not drawn late; at the end those before, so that one noisy point does not end the curve.
     */
    public Series smoothed(int reach) {
        double[] sums = new double[size() + 1];
        for (int i = 0; i < size(); i++) {
            sums[i + 1] = sums[i] + y[i];
        }
        double[] out = new double[size()];
        for (int i = 0; i < size(); i++) {
            int before = Math.min(reach, i);
            int after = Math.min(before, size() - 1 - i);
            out[i] = (sums[i + after + 1] - sums[i - before]) / (before + after + 1);
        }
        return new Series(x, out);
    }

    /**
     * At most {@code 2 × buckets + 2} points that look the same when drawn: of each bucket the least and the greatest y, in
     * their order, and the first and last point.
     */
    public Series thinned(int buckets) {
        if (size() <= 2 * buckets + 2) {
            return this;
        }
        int[] kept = new int[2 * buckets + 2];
        int n = 0;
        kept[n++] = 0;
        for (int b = 0; b < buckets; b++) {
            int from = (int) ((long) size() * b / buckets);
            int to = (int) ((long) size() * (b + 1) / buckets);
            int least = from;
            int greatest = from;
            for (int i = from + 1; i < to; i++) {
                least = y[i] < y[least] ? i : least;
                greatest = y[i] > y[greatest] ? i : greatest;
            }
            for (int i : new int[] {Math.min(least, greatest), Math.max(least, greatest)}) {
                if (i > kept[n - 1]) {
                    kept[n++] = i;
                }
            }
        }
        if (kept[n - 1] < size() - 1) {
            kept[n++] = size() - 1;
        }
        double[] xs = new double[n];
        double[] ys = new double[n];
        for (int i = 0; i < n; i++) {
            xs[i] = x[kept[i]];
            ys[i] = y[kept[i]];
        }
        return new Series(xs, ys);
    }
}
