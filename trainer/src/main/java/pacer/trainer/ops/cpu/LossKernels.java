package pacer.trainer.ops.cpu;

import static pacer.trainer.ops.cpu.VectorMath.expOrZero;
import static pacer.trainer.ops.cpu.VectorMath.tanh;
import static pacer.trainer.ops.cpu.Vectors.LANES;
import static pacer.trainer.ops.cpu.Vectors.constant;
import static pacer.trainer.ops.cpu.Vectors.first;
import static pacer.trainer.ops.cpu.Vectors.getFloat;
import static pacer.trainer.ops.cpu.Vectors.load;
import static pacer.trainer.ops.cpu.Vectors.putFloat;
import static pacer.trainer.ops.cpu.Vectors.store;
import static pacer.trainer.ops.cpu.Vectors.zeros;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/** One row of logits at a time. {@code n} is the vocabulary. */
final class LossKernels {
    private static final float LOWEST = Float.NEGATIVE_INFINITY;

    private LossKernels() {}

    static float max(long z, int n) {
        FloatVector m = constant(LOWEST);
        int i = 0;
        for (; i + LANES <= n; i += LANES) {
            m = m.max(load(z + 4L * i));
        }
        if (i < n) {
            VectorMask<Float> tail = first(n - i);
            m = m.max(constant(LOWEST).blend(load(z + 4L * i, tail), tail));
        }
        return Vectors.max(m);
    }

    /** Writes exp(z - max) to {@code out} and returns their sum. */
    static float exponentials(long z, long out, int n, float max) {
        FloatVector sum = zeros();
        int i = 0;
        for (; i + LANES <= n; i += LANES) {
            FloatVector e = expOrZero(load(z + 4L * i).sub(max));
            store(out + 4L * i, e);
            sum = sum.add(e);
        }
        if (i < n) {
            VectorMask<Float> tail = first(n - i);
            FloatVector e = zeros().blend(expOrZero(load(z + 4L * i, tail).sub(max)), tail);
            store(out + 4L * i, e, tail);
            sum = sum.add(e);
        }
        return Vectors.sum(sum);
    }

    /** The loss of a row; the row becomes its gradient. A target of -1 is ignored. */
    static float lossAndGradient(long z, int n, int target, float scale) {
        if (target < 0) {
            Vectors.zero(z, 4L * n);
            return 0f;
        }
        float max = max(z, n);
        float atTarget = getFloat(z + 4L * target);
        float sum = exponentials(z, z, n, max);
        ElementKernels.scale(z, z, scale / sum, n);
        putFloat(z + 4L * target, getFloat(z + 4L * target) - scale);
        return (float) (Math.log(sum) + max - atTarget);
    }

    /** The loss of a row; {@code work} holds n floats. */
    static float loss(long z, long work, int n, int target) {
        if (target < 0) {
            return 0f;
        }
        float max = max(z, n);
        return (float) (Math.log(exponentials(z, work, n, max)) + max - getFloat(z + 4L * target));
    }

    /** tanh = tanh(z/c), out = c·tanh(z/c); out may be z. */
    static void cap(long z, long tanh, long out, int n, float c) {
        int i = 0;
        for (; i + LANES <= n; i += LANES) {
            FloatVector t = tanh(load(z + 4L * i).div(c));
            store(tanh + 4L * i, t);
            store(out + 4L * i, t.mul(c));
        }
        if (i < n) {
            VectorMask<Float> tail = first(n - i);
            FloatVector t = tanh(load(z + 4L * i, tail).div(c));
            store(tanh + 4L * i, t, tail);
            store(out + 4L * i, t.mul(c), tail);
        }
    }

    /** gradient *= 1 - tanh². */
    static void uncapGradient(long gradient, long tanh, int n) {
        int i = 0;
        for (; i + LANES <= n; i += LANES) {
            FloatVector t = load(tanh + 4L * i);
            store(gradient + 4L * i, load(gradient + 4L * i).mul(constant(1f).sub(t.mul(t))));
        }
        if (i < n) {
            VectorMask<Float> tail = first(n - i);
            FloatVector t = load(tanh + 4L * i, tail);
            store(
                    gradient + 4L * i,
                    load(gradient + 4L * i, tail).mul(constant(1f).sub(t.mul(t))),
                    tail);
        }
    }
}
