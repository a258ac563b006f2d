package pacer.trainer.ops.cpu;

import static pacer.trainer.ops.cpu.Vectors.LANES;
import static pacer.trainer.ops.cpu.Vectors.first;
import static pacer.trainer.ops.cpu.Vectors.load;
import static pacer.trainer.ops.cpu.Vectors.store;
import static pacer.trainer.ops.cpu.Vectors.whole;
import static pacer.trainer.ops.cpu.Vectors.zeros;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import pacer.trainer.ops.Dropout;

/**
 * Elementwise loops over flat memory; {@code n} counts floats. As in all {@code *Kernels}, a method holds one loop over whole
 * vectors and leaves the rest of a row to a method of its own: C2 gives up on longer ones, see {@code docs/log.md}.
 */
final class ElementKernels {
    private ElementKernels() {}

    static void add(long a, long b, long out, long n) {
        long whole = whole(n);
        for (long i = 0; i < whole; i += LANES) {
            store(out + 4 * i, load(a + 4 * i).add(load(b + 4 * i)));
        }
        if (whole < n) {
            addTail(a + 4 * whole, b + 4 * whole, out + 4 * whole, first(n - whole));
        }
    }

    private static void addTail(long a, long b, long out, VectorMask<Float> tail) {
        store(out, load(a, tail).add(load(b, tail)), tail);
    }

    static void multiply(long a, long b, long out, long n) {
        long whole = whole(n);
        for (long i = 0; i < whole; i += LANES) {
            store(out + 4 * i, load(a + 4 * i).mul(load(b + 4 * i)));
        }
        if (whole < n) {
            multiplyTail(a + 4 * whole, b + 4 * whole, out + 4 * whole, first(n - whole));
        }
    }

    private static void multiplyTail(long a, long b, long out, VectorMask<Float> tail) {
        store(out, load(a, tail).mul(load(b, tail)), tail);
    }

    static void scale(long in, long out, float factor, long n) {
        long whole = whole(n);
        for (long i = 0; i < whole; i += LANES) {
            store(out + 4 * i, load(in + 4 * i).mul(factor));
        }
        if (whole < n) {
            scaleTail(in + 4 * whole, out + 4 * whole, factor, first(n - whole));
        }
    }

    private static void scaleTail(long in, long out, float factor, VectorMask<Float> tail) {
        store(out, load(in, tail).mul(factor), tail);
    }

    /** out = alpha·a + beta·b. */
    static void combine(long out, float alpha, long a, float beta, long b, long n) {
        long whole = whole(n);
        for (long o = 0; o < 4 * whole; o += Vectors.BYTES) {
            store(out + o, load(a + o).mul(alpha).add(load(b + o).mul(beta)));
        }
        if (whole < n) {
            long o = 4 * whole;
            combineTail(out + o, alpha, a + o, beta, b + o, first(n - whole));
        }
    }

    private static void combineTail(long out, float alpha, long a, float beta, long b, VectorMask<Float> tail) {
        store(out, load(a, tail).mul(alpha).add(load(b, tail).mul(beta)), tail);
    }

    /** Sum of products of up to a few thousand elements. */
    static float dot(long a, long b, long n) {
        FloatVector sum = zeros();
        long whole = whole(n);
        for (long i = 0; i < whole; i += LANES) {
            sum = load(a + 4 * i).fma(load(b + 4 * i), sum);
        }
        float all = Vectors.sum(sum);
        return whole < n ? all + dotTail(a + 4 * whole, b + 4 * whole, first(n - whole)) : all;
    }

    private static float dotTail(long a, long b, VectorMask<Float> tail) {
        return Vectors.sum(load(a, tail).mul(load(b, tail)));
    }

    /** Sum of squares of up to a few thousand elements. */
    static float sumOfSquares(long x, long n) {
        FloatVector s0 = zeros();
        FloatVector s1 = zeros();
        long pairs = n / (2L * LANES) * (2L * LANES);
        for (long i = 0; i < pairs; i += 2L * LANES) {
            FloatVector a = load(x + 4 * i);
            FloatVector b = load(x + 4 * i + Vectors.BYTES);
            s0 = a.fma(a, s0);
            s1 = b.fma(b, s1);
        }
        float sum = Vectors.sum(s0.add(s1));
        return pairs < n ? sum + sumOfSquaresTail(x + 4 * pairs, n - pairs) : sum;
    }

    private static float sumOfSquaresTail(long x, long n) {
        FloatVector sum = zeros();
        for (long i = 0; i < n; i += LANES) {
            FloatVector a = load(x + 4 * i, first(n - i));
            sum = a.fma(a, sum);
        }
        return Vectors.sum(sum);
    }

    /** Zeroes dropped elements and scales the others. */
    static void dropout(long in, long out, long n, Dropout dropout, long firstElement) {
        int key = (int) (dropout.key() ^ (dropout.key() >>> 32));
        int threshold = dropout.threshold();
        float scale = dropout.scale();
        long i = 0;
        while (i < n) {
            // the upper half of an element's index is constant over a run of 2^32 elements
            long element = firstElement + i;
            long run = Math.min(n - i, (1L << 32) - (element & 0xFFFFFFFFL));
            int upper = key ^ ((int) (element >>> 32) * 0x85EBCA6B);
            dropoutRun(in + 4 * i, out + 4 * i, run, upper, (int) element, threshold, scale);
            i += run;
        }
    }

    private static void dropoutRun(long in, long out, long n, int key, int element, int threshold, float scale) {
        long whole = whole(n);
        for (long i = 0; i < whole; i += LANES) {
            store(out + 4 * i, load(in + 4 * i).mul(VectorMath.survivors(key, element + (int) i, threshold, scale)));
        }
        if (whole < n) {
            int at = element + (int) whole;
            dropoutTail(in + 4 * whole, out + 4 * whole, first(n - whole), key, at, threshold, scale);
        }
    }

    private static void dropoutTail(
            long in, long out, VectorMask<Float> tail, int key, int element, int threshold, float scale) {
        store(out, load(in, tail).mul(VectorMath.survivors(key, element, threshold, scale)), tail);
    }

    /** What the elements of an AdamW update share. */
    record AdamWFactors(
            float beta1,
            float beta2,
            float epsilon,
            float stepSize,
            float keep,
            float correction2,
            float gradientScale) {}

    static void adamW(long w, long g, long m, long v, long n, AdamWFactors f) {
        long whole = whole(n);
        adamWWhole(w, g, m, v, whole, f.beta1, f.beta2, f.epsilon, f.stepSize, f.keep, f.correction2, f.gradientScale);
        if (whole < n) {
            long o = 4 * whole;
            adamWTail(w + o, g + o, m + o, v + o, first(n - whole), f);
        }
    }

    private static void adamWWhole(
            long w,
            long g,
            long m,
            long v,
            long n,
            float beta1,
            float beta2,
            float epsilon,
            float stepSize,
            float keep,
            float correction2,
            float gradientScale) {
        for (long i = 0; i < n; i += LANES) {
            long o = 4 * i;
            FloatVector gradient = load(g + o).mul(gradientScale);
            FloatVector mean = load(m + o).mul(beta1).add(gradient.mul(1 - beta1));
            FloatVector square =
                    load(v + o).mul(beta2).add(gradient.mul(gradient).mul(1 - beta2));
            store(m + o, mean);
            store(v + o, square);
            FloatVector denominator = square.sqrt().mul(correction2).add(epsilon);
            store(w + o, load(w + o).mul(keep).sub(mean.mul(stepSize).div(denominator)));
        }
    }

    private static void adamWTail(long w, long g, long m, long v, VectorMask<Float> tail, AdamWFactors f) {
        FloatVector gradient = load(g, tail).mul(f.gradientScale);
        FloatVector mean = load(m, tail).mul(f.beta1).add(gradient.mul(1 - f.beta1));
        FloatVector square =
                load(v, tail).mul(f.beta2).add(gradient.mul(gradient).mul(1 - f.beta2));
        store(m, mean, tail);
        store(v, square, tail);
        FloatVector denominator = square.sqrt().mul(f.correction2).add(f.epsilon);
        store(w, load(w, tail).mul(f.keep).sub(mean.mul(f.stepSize).div(denominator)), tail);
    }

    /** Turns {@code half} pairs (i, i + half): by the tables' angles, or back with {@code direction} -1. In place allowed. */
    static void rotate(long in, long out, long cosines, long sines, int half, float direction) {
        long upper = 4L * half;
        long whole = whole(half);
        for (long o = 0; o < 4 * whole; o += Vectors.BYTES) {
            FloatVector a = load(in + o);
            FloatVector b = load(in + upper + o);
            FloatVector cos = load(cosines + o);
            FloatVector sin = load(sines + o).mul(direction);
            store(out + o, a.mul(cos).add(b.mul(sin)));
            store(out + upper + o, b.mul(cos).sub(a.mul(sin)));
        }
        if (whole < half) {
            long o = 4 * whole;
            rotateTail(in + o, out + o, cosines + o, sines + o, upper, first(half - whole), direction);
        }
    }

    private static void rotateTail(
            long in, long out, long cosines, long sines, long upper, VectorMask<Float> tail, float direction) {
        FloatVector a = load(in, tail);
        FloatVector b = load(in + upper, tail);
        FloatVector cos = load(cosines, tail);
        FloatVector sin = load(sines, tail).mul(direction);
        store(out, a.mul(cos).add(b.mul(sin)), tail);
        store(out + upper, b.mul(cos).sub(a.mul(sin)), tail);
    }
}
