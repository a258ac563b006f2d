package pacer.trainer.bench;

import java.util.ArrayList;
import java.util.List;

/**
 * Tells when steps have become as fast as they get: the JIT compiles what runs often, caches and pages fill. Steps are taken
 * in windows of at least {@value #WINDOW_STEPS} and at least {@value #WINDOW_MILLIS} ms; it is over when {@value #NO_BETTER}
 * windows in a row were no faster than the best before them, within {@value #MARGIN}. {@code pytorch_step.py} has the same rule.
 */
final class Warmup {
    static final int WINDOW_STEPS = 3;
    static final double WINDOW_MILLIS = 500;
    static final int NO_BETTER = 2;
    static final double MARGIN = 0.02;

    private final double mostMillis;
    private final List<Double> window = new ArrayList<>();
    private double windowMillis;
    private double allMillis;
    private double best = Double.POSITIVE_INFINITY;
    private int noBetter;
    private int steps;

    /** @param mostSeconds time after which it is over in any case */
    Warmup(double mostSeconds) {
        this.mostMillis = 1e3 * mostSeconds;
    }

    void add(double millis) {
        steps++;
        allMillis += millis;
        windowMillis += millis;
        window.add(millis);
        if (window.size() >= WINDOW_STEPS && windowMillis >= WINDOW_MILLIS) {
            double median = Spread.median(
                    window.stream().mapToDouble(Double::doubleValue).toArray());
            noBetter = median >= (1 - MARGIN) * best ? noBetter + 1 : 0;
            best = Math.min(best, median);
            window.clear();
            windowMillis = 0;
        }
    }

    /** Whether steps got no faster for a while. */
    boolean isSteady() {
        return noBetter >= NO_BETTER;
    }

    boolean isOver() {
        return isSteady() || allMillis >= mostMillis;
    }

    int steps() {
        return steps;
    }
}
