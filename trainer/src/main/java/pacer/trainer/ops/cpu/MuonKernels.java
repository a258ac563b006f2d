package pacer.trainer.ops.cpu;

import static pacer.trainer.ops.cpu.Vectors.first;
import static pacer.trainer.ops.cpu.Vectors.load;
import static pacer.trainer.ops.cpu.Vectors.store;
import static pacer.trainer.ops.cpu.Vectors.whole;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/** What Muon adds to products; {@code n} counts floats. */
final class MuonKernels {
    private MuonKernels() {}

    /** m += (1 - factor)·(scale·g - m); out = scale·g + factor·(m - scale·g). */
    static void nesterov(long out, long m, long g, float factor, float scale, long n) {
        long whole = whole(n);
        for (long o = 0; o < 4 * whole; o += Vectors.BYTES) {
            FloatVector gradient = load(g + o).mul(scale);
            FloatVector before = load(m + o);
            FloatVector mean = before.add(gradient.sub(before).mul(1 - factor));
            store(m + o, mean);
            store(out + o, gradient.add(mean.sub(gradient).mul(factor)));
        }
        if (whole < n) {
            long o = 4 * whole;
            nesterovTail(out + o, m + o, g + o, factor, scale, first(n - whole));
        }
    }

    private static void nesterovTail(long out, long m, long g, float factor, float scale, VectorMask<Float> tail) {
        FloatVector gradient = load(g, tail).mul(scale);
        FloatVector before = load(m, tail);
        FloatVector mean = before.add(gradient.sub(before).mul(1 - factor));
        store(m, mean, tail);
        store(out, gradient.add(mean.sub(gradient).mul(factor)), tail);
    }
}
