package pacer.activities.run;

import java.time.Duration;

/**
 * Decides when the workflow is told of progress. Each signal adds four events to a history that holds 51,200: they come
 * every few seconds at first, and ever more seldom the longer the stage takes, so that a month is some 1,500, however many attempts it has.
 */
final class ProgressSignals {
    private static final double LEAST_SECONDS = 5;
    private static final double FRACTION = 0.01;

    private final long begun;
    private double lastAt = Double.NEGATIVE_INFINITY;
    private Progress last;

    /** @param before how long ago the first attempt was asked for */
    ProgressSignals(Duration before) {
        this.begun = System.nanoTime() - Math.max(0, before.toNanos());
    }

    /** Whether {@code progress} is news and it is time for it; if so, it counts as told. */
    boolean due(Progress progress) {
        double now = (System.nanoTime() - begun) / 1e9;
        if (progress.equals(last) || now - lastAt < Math.max(LEAST_SECONDS, FRACTION * now)) {
            return false;
        }
        lastAt = now;
        last = progress;
        return true;
    }
}
