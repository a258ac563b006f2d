package pacer.trainer.ops.cpu;

import static pacer.trainer.ops.cpu.VectorMath.expOrZero;
import static pacer.trainer.ops.cpu.Vectors.F;
import static pacer.trainer.ops.cpu.Vectors.LANES;
import static pacer.trainer.ops.cpu.Vectors.constant;
import static pacer.trainer.ops.cpu.Vectors.load;
import static pacer.trainer.ops.cpu.Vectors.store;
import static pacer.trainer.ops.cpu.Vectors.zeros;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** Rows of attention scores. Columns come in whole vectors. */
final class AttentionKernels {
    private static final FloatVector IOTA = FloatVector.zero(F).addIndex(1);
    private static final float MASKED = Float.NEGATIVE_INFINITY;

    private AttentionKernels() {}

    /** Sets the columns of [low, high) outside of [first, last] to minus infinity. */
    static void mask(long s, int low, int first, int last, int high) {
        for (int j = low; j < first; j += LANES) {
            FloatVector x = load(s + 4L * j);
            store(s + 4L * j, x.blend(MASKED, IOTA.compare(VectorOperators.LT, (float) (first - j))));
        }
        for (int j = (last + 1) / LANES * LANES; j < high; j += LANES) {
            FloatVector x = load(s + 4L * j);
            store(s + 4L * j, x.blend(MASKED, IOTA.compare(VectorOperators.GT, (float) (last - j))));
        }
    }

    static float rowMax(long s, int n) {
        FloatVector m = constant(MASKED);
        for (int j = 0; j < n; j += LANES) {
            m = m.max(load(s + 4L * j));
        }
        return Vectors.max(m);
    }

    static float exponentials(long s, int n, float max, float scale) {
        FloatVector sum = zeros();
        for (int j = 0; j < n; j += LANES) {
            FloatVector e = expOrZero(load(s + 4L * j).sub(max).mul(scale));
            store(s + 4L * j, e);
            sum = sum.add(e);
        }
        return Vectors.sum(sum);
    }

    static void probabilities(long s, int n, float scale, float logSumExp) {
        for (int j = 0; j < n; j += LANES) {
            store(s + 4L * j, expOrZero(load(s + 4L * j).mul(scale).sub(logSumExp)));
        }
    }

    /** ds = p·(ds - Σ p·ds)·scale. */
    static void scoreGradients(long p, long ds, int n, float scale) {
        FloatVector dot = zeros();
        for (int j = 0; j < n; j += LANES) {
            dot = load(p + 4L * j).fma(load(ds + 4L * j), dot);
        }
        float sum = Vectors.sum(dot);
        for (int j = 0; j < n; j += LANES) {
            store(ds + 4L * j, load(ds + 4L * j).sub(sum).mul(load(p + 4L * j)).mul(scale));
        }
    }
}
