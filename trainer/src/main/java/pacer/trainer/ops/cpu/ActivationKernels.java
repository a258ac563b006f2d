package pacer.trainer.ops.cpu;

import static pacer.trainer.ops.cpu.Vectors.LANES;
import static pacer.trainer.ops.cpu.Vectors.constant;
import static pacer.trainer.ops.cpu.Vectors.exp;
import static pacer.trainer.ops.cpu.Vectors.first;
import static pacer.trainer.ops.cpu.Vectors.load;
import static pacer.trainer.ops.cpu.Vectors.store;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * Activations. The forward pass leaves the activation's derivative where its input was, so that the backward pass is one
 * multiplication: the exponential is paid for once. Each runs in blocks of two short loops that meet in the first-level cache,
 * because one loop with everything exceeds C2's budget and then allocates a box for each vector.
 */
final class ActivationKernels {
    private static final int BLOCK = 1024;
    private static final float SQRT_HALF = 0.70710677f;
    private static final float DENSITY = 0.3989423f; // 1/√(2π)
    private static final float TANH_SCALE = 0.7978846f; // √(2/π)
    private static final float TANH_CUBIC = 0.044715f;

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
        int i = 0;
        for (; i + LANES <= n; i += LANES) {
            FloatVector v = load(x + 4L * i);
            store(out + 4L * i, exp(v.mul(v).mul(-0.5f)));
        }
        if (i < n) {
            VectorMask<Float> tail = first(n - i);
            FloatVector v = load(x + 4L * i, tail);
            store(out + 4L * i, exp(v.mul(v).mul(-0.5f)), tail);
        }
    }

    private static void geluErfFromGaussian(long x, long out, int n) {
        int i = 0;
        for (; i + LANES <= n; i += LANES) {
            FloatVector v = load(x + 4L * i);
            FloatVector gaussian = load(out + 4L * i);
            FloatVector cdf = normalCdf(v, gaussian);
            store(out + 4L * i, v.mul(cdf));
            store(x + 4L * i, v.mul(gaussian).fma(constant(DENSITY), cdf));
        }
        if (i < n) {
            VectorMask<Float> tail = first(n - i);
            FloatVector v = load(x + 4L * i, tail);
            FloatVector gaussian = load(out + 4L * i, tail);
            FloatVector cdf = normalCdf(v, gaussian);
            store(out + 4L * i, v.mul(cdf), tail);
            store(x + 4L * i, v.mul(gaussian).fma(constant(DENSITY), cdf), tail);
        }
    }

    /** Φ(x) to 1e-7, given exp(-x²/2): Abramowitz and Stegun 7.1.26. */
    @SuppressWarnings("FloatingPointLiteralPrecision") // digits as published
    private static FloatVector normalCdf(FloatVector x, FloatVector gaussian) {
        FloatVector t = constant(1f).div(x.abs().mul(0.3275911f * SQRT_HALF).add(1f));
        FloatVector p = t.mul(1.061405429f).add(-1.453152027f);
        p = p.mul(t).add(1.421413741f);
        p = p.mul(t).add(-0.284496736f);
        p = p.mul(t).add(0.254829592f).mul(t);
        FloatVector upperTail = p.mul(gaussian).mul(0.5f);
        return upperTail.blend(constant(1f).sub(upperTail), x.compare(VectorOperators.GE, 0f));
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
        int i = 0;
        for (; i + LANES <= n; i += LANES) {
            FloatVector v = load(x + 4L * i);
            FloatVector e = exp(v.mul(v).mul(TANH_CUBIC).add(1f).mul(v).mul(2 * TANH_SCALE));
            store(out + 4L * i, e.div(e.add(1f)));
        }
        if (i < n) {
            VectorMask<Float> tail = first(n - i);
            FloatVector v = load(x + 4L * i, tail);
            FloatVector e = exp(v.mul(v).mul(TANH_CUBIC).add(1f).mul(v).mul(2 * TANH_SCALE));
            store(out + 4L * i, e.div(e.add(1f)), tail);
        }
    }

    private static void geluTanhFromSigmoid(long x, long out, int n) {
        int i = 0;
        for (; i + LANES <= n; i += LANES) {
            FloatVector v = load(x + 4L * i);
            FloatVector s = load(out + 4L * i);
            store(out + 4L * i, v.mul(s));
            store(x + 4L * i, geluTanhDerivative(v, s));
        }
        if (i < n) {
            VectorMask<Float> tail = first(n - i);
            FloatVector v = load(x + 4L * i, tail);
            FloatVector s = load(out + 4L * i, tail);
            store(out + 4L * i, v.mul(s), tail);
            store(x + 4L * i, geluTanhDerivative(v, s), tail);
        }
    }

    /** s + 2·x·s·(1 - s)·u'(x). */
    private static FloatVector geluTanhDerivative(FloatVector x, FloatVector s) {
        FloatVector slope = x.mul(x).mul(3 * TANH_CUBIC * TANH_SCALE).add(TANH_SCALE);
        FloatVector spread = s.sub(s.mul(s));
        return x.add(x).mul(spread).fma(slope, s);
    }

    /** out = max(x, 0)², x = 2·max(x, 0). */
    static void reluSquared(long x, long out, long n) {
        long i = 0;
        for (; i + LANES <= n; i += LANES) {
            FloatVector v = load(x + 4 * i).max(0f);
            store(out + 4 * i, v.mul(v));
            store(x + 4 * i, v.add(v));
        }
        if (i < n) {
            VectorMask<Float> tail = first((int) (n - i));
            FloatVector v = load(x + 4 * i, tail).max(0f);
            store(out + 4 * i, v.mul(v), tail);
            store(x + 4 * i, v.add(v), tail);
        }
    }
}
