package pacer.trainer.parity;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * One thing compared between a trace and its replay.
 *
 * @param name {@code loss 3}, {@code gradients}
 * @param difference relative; NaN when either side is not finite
 * @param tolerance largest difference allowed
 * @param detail which tensor is the worst, or what was compared; empty for a single number
 */
public record Quantity(String name, double difference, double tolerance, String detail) {

    /** Whether it is within its tolerance. */
    public boolean passed() {
        return difference <= tolerance; // false for NaN
    }

    /** Two numbers, relative to theirs. */
    static Quantity ofNumbers(String name, double ours, double theirs, double tolerance) {
        return new Quantity(name, Math.abs(ours - theirs) / Math.abs(theirs), tolerance, "");
    }

    /**
     * ‖ours - theirs‖ / ‖theirs‖ in double. Where theirs is all zeros, the difference is the norm of ours.
     *
     * @param ours floats
     * @param theirs as many
     */
    static double relativeNorm(MemorySegment ours, MemorySegment theirs) {
        double difference = 0;
        double norm = 0;
        for (long i = 0; i < theirs.byteSize() / 4; i++) {
            double a = ours.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i);
            double b = theirs.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i);
            difference += (a - b) * (a - b);
            norm += b * b;
        }
        return Math.sqrt(difference) / (norm > 0 ? Math.sqrt(norm) : 1);
    }
}
