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
import static pacer.trainer.ops.cpu.Vectors.whole;
import static pacer.trainer.ops.cpu.Vectors.zeros;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/** One row of logits at a time. {@code n} is the vocabulary. */
final class LossKernels {
    private static final float LOWEST = Float.NEGATIVE_INFINITY;

    private LossKernels() {}

    static float max(long z, int n) {
        int whole = (int) whole(n);
        FloatVector m = constant(LOWEST);
        for (int i = 0; i < whole; i += LANES) {
            m = m.max(load(z + 4L * i));
        }
        float max = Vectors.max(m);
        return whole < n ? Math.max(max, maxTail(z + 4L * whole, first(n - whole))) : max;
    }

    private static float maxTail(long z, VectorMask<Float> tail) {
        return Vectors.max(constant(LOWEST).blend(load(z, tail), tail));
    }

    /** Writes exp(z - max) to {@code out} and returns their sum. */
    static float exponentials(long z, long out, int n, float max) {
        int whole = (int) whole(n);
        FloatVector sum = zeros();
        for (int i = 0; i < whole; i += LANES) {
            FloatVector e = expOrZero(load(z + 4L * i).sub(max));
            store(out + 4L * i, e);
            sum = sum.add(e);
        }
        float total = Vectors.sum(sum);
        return whole < n ? total + exponentialsTail(z + 4L * whole, out + 4L * whole, first(n - whole), max) : total;
    }

    private static float exponentialsTail(long z, long out, VectorMask<Float> tail, float max) {
        FloatVector e = zeros().blend(expOrZero(load(z, tail).sub(max)), tail);
        store(out, e, tail);
        return Vectors.sum(e);
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
        int whole = (int) whole(n);
        for (int i = 0; i < whole; i += LANES) {
            FloatVector t = tanh(load(z + 4L * i).div(c));
            store(tanh + 4L * i, t);
            store(out + 4L * i, t.mul(c));
        }
        if (whole < n) {
            capTail(z + 4L * whole, tanh + 4L * whole, out + 4L * whole, first(n - whole), c);
        }
    }

    private static void capTail(long z, long tanh, long out, VectorMask<Float> tail, float c) {
        FloatVector t = tanh(load(z, tail).div(c));
        store(tanh, t, tail);
        store(out, t.mul(c), tail);
    }

    /** gradient *= 1 - tanh². */
    static void uncapGradient(long gradient, long tanh, int n) {
        int whole = (int) whole(n);
        for (int i = 0; i < whole; i += LANES) {
            FloatVector t = load(tanh + 4L * i);
            store(gradient + 4L * i, load(gradient + 4L * i).mul(constant(1f).sub(t.mul(t))));
        }
        if (whole < n) {
            uncapGradientTail(gradient + 4L * whole, tanh + 4L * whole, first(n - whole));
        }
    }

    private static void uncapGradientTail(long gradient, long tanh, VectorMask<Float> tail) {
        FloatVector t = load(tanh, tail);
        store(gradient, load(gradient, tail).mul(constant(1f).sub(t.mul(t))), tail);
    }
}
