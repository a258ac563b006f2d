package pacer.trainer.optim;

import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.List;

/**
 * Tells whether a number is far above those before it: by its z-score within the last {@value #WINDOW}, itself included, as llm.c's outlier
 * detector has it. Until there are as many, nothing is an outlier. Numbers that are not finite are for others to judge, and are not taken in.
 */
public final class OutlierGuard {
    /** Numbers that are looked at. */
    public static final int WINDOW = 128;

    private final Deque<Double> window;

    /** @param before the latest numbers, the oldest first, as {@link #window} gave them */
    public OutlierGuard(Collection<Double> before) {
        window = new ArrayDeque<>(before);
    }

    /** The z-score of {@code value}, which is one of the latest from now on; 0 while there are too few, or all are equal. */
    public double score(double value) {
        if (!Double.isFinite(value)) {
            throw new IllegalArgumentException("a guard of finite numbers got " + value);
        }
        boolean full = window.size() == WINDOW;
        if (full) {
            window.removeFirst();
        }
        window.addLast(value);
        if (!full) {
            return 0;
        }
        double mean = window.stream().mapToDouble(x -> x).sum() / WINDOW;
        double variance =
                window.stream().mapToDouble(x -> (x - mean) * (x - mean)).sum() / WINDOW;
        return variance == 0 ? 0 : (value - mean) / Math.sqrt(variance);
    }

    /** The latest numbers, the oldest first. */
    public List<Double> window() {
        return List.copyOf(window);
    }
}
