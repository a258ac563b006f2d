package pacer.trainer.ops.cpu;

import static pacer.trainer.ops.cpu.VectorMath.exp;
import static pacer.trainer.ops.cpu.VectorMath.geluTanhDerivative;
import static pacer.trainer.ops.cpu.VectorMath.normalCdf;
import static pacer.trainer.ops.cpu.Vectors.LANES;
import static pacer.trainer.ops.cpu.Vectors.constant;
import static pacer.trainer.ops.cpu.Vectors.first;
import static pacer.trainer.ops.cpu.Vectors.load;
import static pacer.trainer.ops.cpu.Vectors.store;
import static pacer.trainer.ops.cpu.Vectors.whole;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * Activations. The forward pass leaves the activation's derivative where its input was, so that the backward pass is one
 * multiplication: the exponential is paid for once. GELU runs in blocks of two short loops that meet in the first-level cache,
 * because one loop with everything exceeds C2's budget and then allocates a box for each vector.
 */
final class ActivationKernels {
    private static final int BLOCK = 1024;
    private static final float DENSITY = 0.3989423f; // 1/√(2π)
    static final float TANH_SCALE = 0.7978846f; // √(2/π)
    static final float TANH_CUBIC = 0.044715f;

    private ActivationKernels() {}

    /** out = gelu(x), x = gelu'(x), by the error function. */
    static void geluErf(long x, long out, long n) {
        for (long i = 0; i < n; i += BLOCK) {
            int block = (int) Math.min(BLOCK, n - i);
            gaussian(x + 4 * i, out + 4 * i, block);
            geluErfFromGaussian(x + 4 * i, out + 4 * i, block);
        }
    }

    /** out = exp(-x²/2). */
    private static void gaussian(long x, long out, int n) {
        int whole = (int) whole(n);
        for (int i = 0; i < whole; i += LANES) {
            FloatVector v = load(x + 4L * i);
            store(out + 4L * i, exp(v.mul(v).mul(-0.5f)));
        }
        if (whole < n) {
            gaussianTail(x + 4L * whole, out + 4L * whole, first(n - whole));
        }
    }

    private static void gaussianTail(long x, long out, VectorMask<Float> tail) {
        FloatVector v = load(x, tail);
        store(out, exp(v.mul(v).mul(-0.5f)), tail);
    }

    private static void geluErfFromGaussian(long x, long out, int n) {
        int whole = (int) whole(n);
        for (int i = 0; i < whole; i += LANES) {
            FloatVector v = load(x + 4L * i);
            FloatVector gaussian = load(out + 4L * i);
            FloatVector cdf = normalCdf(v, gaussian);
            store(out + 4L * i, v.mul(cdf));
            store(x + 4L * i, v.mul(gaussian).fma(constant(DENSITY), cdf));
        }
        if (whole < n) {
            geluErfFromGaussianTail(x + 4L * whole, out + 4L * whole, first(n - whole));
        }
    }

    private static void geluErfFromGaussianTail(long x, long out, VectorMask<Float> tail) {
        FloatVector v = load(x, tail);
        FloatVector gaussian = load(out, tail);
        FloatVector cdf = normalCdf(v, gaussian);
        store(out, v.mul(cdf), tail);
        store(x, v.mul(gaussian).fma(constant(DENSITY), cdf), tail);
    }

    /** out = gelu(x), x = gelu'(x), by tanh. */
    static void geluTanh(long x, long out, long n) {
        for (long i = 0; i < n; i += BLOCK) {
            int block = (int) Math.min(BLOCK, n - i);
            sigmoidOfCubic(x + 4 * i, out + 4 * i, block);
            geluTanhFromSigmoid(x + 4 * i, out + 4 * i, block);
        }
    }

    /** out = σ(2u) = (1 + tanh u)/2 with u = √(2/π)·(x + 0.044715x³); unlike 1 + tanh u it keeps its digits where it is small. */
    private static void sigmoidOfCubic(long x, long out, int n) {
        int whole = (int) whole(n);
        for (int i = 0; i < whole; i += LANES) {
            FloatVector v = load(x + 4L * i);
            FloatVector e = exp(v.mul(v).mul(TANH_CUBIC).add(1f).mul(v).mul(2 * TANH_SCALE));
            store(out + 4L * i, e.div(e.add(1f)));
        }
        if (whole < n) {
            sigmoidOfCubicTail(x + 4L * whole, out + 4L * whole, first(n - whole));
        }
    }

    private static void sigmoidOfCubicTail(long x, long out, VectorMask<Float> tail) {
        FloatVector v = load(x, tail);
        FloatVector e = exp(v.mul(v).mul(TANH_CUBIC).add(1f).mul(v).mul(2 * TANH_SCALE));
        store(out, e.div(e.add(1f)), tail);
    }

    private static void geluTanhFromSigmoid(long x, long out, int n) {
        int whole = (int) whole(n);
        for (int i = 0; i < whole; i += LANES) {
            FloatVector v = load(x + 4L * i);
            FloatVector s = load(out + 4L * i);
            store(out + 4L * i, v.mul(s));
            store(x + 4L * i, geluTanhDerivative(v, s));
        }
        if (whole < n) {
            geluTanhFromSigmoidTail(x + 4L * whole, out + 4L * whole, first(n - whole));
        }
    }

    private static void geluTanhFromSigmoidTail(long x, long out, VectorMask<Float> tail) {
        FloatVector v = load(x, tail);
        FloatVector s = load(out, tail);
        store(out, v.mul(s), tail);
        store(x, geluTanhDerivative(v, s), tail);
    }

    /** out = max(x, 0)², x = 2·max(x, 0). */
    static void reluSquared(long x, long out, long n) {
        long whole = whole(n);
        for (long i = 0; i < whole; i += LANES) {
            FloatVector v = load(x + 4 * i).max(0f);
            store(out + 4 * i, v.mul(v));
            store(x + 4 * i, v.add(v));
        }
        if (whole < n) {
            reluSquaredTail(x + 4 * whole, out + 4 * whole, first(n - whole));
        }
    }

    private static void reluSquaredTail(long x, long out, VectorMask<Float> tail) {
        FloatVector v = load(x, tail).max(0f);
        store(out, v.mul(v), tail);
        store(x, v.add(v), tail);
    }
}
