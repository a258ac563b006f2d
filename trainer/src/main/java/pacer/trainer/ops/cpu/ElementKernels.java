package pacer.trainer.ops.cpu;

import static pacer.trainer.ops.cpu.Vectors.LANES;
import static pacer.trainer.ops.cpu.Vectors.constant;
import static pacer.trainer.ops.cpu.Vectors.first;
import static pacer.trainer.ops.cpu.Vectors.load;
import static pacer.trainer.ops.cpu.Vectors.store;
import static pacer.trainer.ops.cpu.Vectors.zeros;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import pacer.trainer.ops.Dropout;

/** Elementwise loops over flat memory; {@code n} counts floats. */
final class ElementKernels {
    private ElementKernels() {}

    static void add(long a, long b, long out, long n) {
        long i = 0;
        for (; i + LANES <= n; i += LANES) {
            store(out + 4 * i, load(a + 4 * i).add(load(b + 4 * i)));
        }
        if (i < n) {
            VectorMask<Float> tail = first((int) (n - i));
            store(out + 4 * i, load(a + 4 * i, tail).add(load(b + 4 * i, tail)), tail);
        }
    }

    static void multiply(long a, long b, long out, long n) {
        long i = 0;
        for (; i + LANES <= n; i += LANES) {
            store(out + 4 * i, load(a + 4 * i).mul(load(b + 4 * i)));
        }
        if (i < n) {
            VectorMask<Float> tail = first((int) (n - i));
            store(out + 4 * i, load(a + 4 * i, tail).mul(load(b + 4 * i, tail)), tail);
        }
    }

    static void scale(long in, long out, float factor, long n) {
        long i = 0;
        for (; i + LANES <= n; i += LANES) {
            store(out + 4 * i, load(in + 4 * i).mul(factor));
        }
        if (i < n) {
            VectorMask<Float> tail = first((int) (n - i));
            store(out + 4 * i, load(in + 4 * i, tail).mul(factor), tail);
        }
    }

    /** Sum of squares of up to a few thousand elements. */
    static float sumOfSquares(long x, long n) {
        FloatVector s0 = zeros();
        FloatVector s1 = zeros();
        long i = 0;
        for (; i + 2L * LANES <= n; i += 2L * LANES) {
            FloatVector a = load(x + 4 * i);
            FloatVector b = load(x + 4 * i + Vectors.BYTES);
            s0 = a.fma(a, s0);
            s1 = b.fma(b, s1);
        }
        for (; i < n; i += LANES) {
            FloatVector a = load(x + 4 * i, first((int) Math.min(LANES, n - i)));
            s0 = a.fma(a, s0);
        }
        return Vectors.sum(s0.add(s1));
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
        long i = 0;
        for (; i + LANES <= n; i += LANES) {
            store(out + 4 * i, load(in + 4 * i).mul(VectorMath.survivors(key, element + (int) i, threshold, scale)));
        }
        if (i < n) {
            VectorMask<Float> tail = first((int) (n - i));
            FloatVector kept = VectorMath.survivors(key, element + (int) i, threshold, scale);
            store(out + 4 * i, load(in + 4 * i, tail).mul(kept), tail);
        }
    }

    static void adamW(
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
        long i = 0;
        for (; i + LANES <= n; i += LANES) {
            long o = 4 * i;
            FloatVector gradient = load(g + o).mul(gradientScale);
            FloatVector first = load(m + o).mul(beta1).add(gradient.mul(1 - beta1));
            FloatVector second =
                    load(v + o).mul(beta2).add(gradient.mul(gradient).mul(1 - beta2));
            store(m + o, first);
            store(v + o, second);
            FloatVector denominator = second.sqrt().mul(correction2).add(epsilon);
            store(w + o, load(w + o).mul(keep).sub(first.mul(stepSize).div(denominator)));
        }
        if (i < n) {
            VectorMask<Float> tail = first((int) (n - i));
            long o = 4 * i;
            FloatVector gradient = load(g + o, tail).mul(gradientScale);
            FloatVector first = load(m + o, tail).mul(beta1).add(gradient.mul(1 - beta1));
            FloatVector second =
                    load(v + o, tail).mul(beta2).add(gradient.mul(gradient).mul(1 - beta2));
            store(m + o, first, tail);
            store(v + o, second, tail);
            FloatVector denominator = second.sqrt().mul(correction2).add(constant(epsilon));
            store(w + o, load(w + o, tail).mul(keep).sub(first.mul(stepSize).div(denominator)), tail);
        }
    }

    /** Turns {@code half} pairs (i, i + half): by the tables' angles, or back with {@code direction} -1. In place allowed. */
    static void rotate(long in, long out, long cosines, long sines, int half, float direction) {
        long upper = 4L * half;
        int i = 0;
        for (; i + LANES <= half; i += LANES) {
            long o = 4L * i;
            FloatVector a = load(in + o);
            FloatVector b = load(in + upper + o);
            FloatVector cos = load(cosines + o);
            FloatVector sin = load(sines + o).mul(direction);
            store(out + o, a.mul(cos).add(b.mul(sin)));
            store(out + upper + o, b.mul(cos).sub(a.mul(sin)));
        }
        if (i < half) {
            VectorMask<Float> tail = first(half - i);
            long o = 4L * i;
            FloatVector a = load(in + o, tail);
            FloatVector b = load(in + upper + o, tail);
            FloatVector cos = load(cosines + o, tail);
            FloatVector sin = load(sines + o, tail).mul(direction);
            store(out + o, a.mul(cos).add(b.mul(sin)), tail);
            store(out + upper + o, b.mul(cos).sub(a.mul(sin)), tail);
        }
    }
}
