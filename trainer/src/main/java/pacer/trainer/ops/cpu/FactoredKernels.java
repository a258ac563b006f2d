package pacer.trainer.ops.cpu;

import static pacer.trainer.ops.cpu.Vectors.LANES;
import static pacer.trainer.ops.cpu.Vectors.first;
import static pacer.trainer.ops.cpu.Vectors.load;
import static pacer.trainer.ops.cpu.Vectors.store;
import static pacer.trainer.ops.cpu.Vectors.whole;
import static pacer.trainer.ops.cpu.Vectors.zeros;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/** Rows of matrices whose squared gradients are kept by rows and columns; {@code n} counts floats. */
final class FactoredKernels {
    private FactoredKernels() {}

    /** sums += (scale·in)²; returns the sum of what was added. */
    static float addSquares(long in, float scale, long sums, long n) {
        FloatVector sum = zeros();
        long whole = whole(n);
        for (long i = 0; i < whole; i += LANES) {
            FloatVector x = load(in + 4 * i).mul(scale);
            FloatVector square = x.mul(x);
            store(sums + 4 * i, load(sums + 4 * i).add(square));
            sum = sum.add(square);
        }
        float all = Vectors.sum(sum);
        return whole < n ? all + addSquaresTail(in + 4 * whole, scale, sums + 4 * whole, first(n - whole)) : all;
    }

    private static float addSquaresTail(long in, float scale, long sums, VectorMask<Float> tail) {
        FloatVector x = load(in, tail).mul(scale);
        FloatVector square = x.mul(x);
        store(sums, load(sums, tail).add(square), tail);
        return Vectors.sum(square);
    }

    /** Sum of (in·weights)². */
    static float weightedSquares(long in, long weights, long n) {
        FloatVector sum = zeros();
        long whole = whole(n);
        for (long i = 0; i < whole; i += LANES) {
            FloatVector x = load(in + 4 * i).mul(load(weights + 4 * i));
            sum = x.fma(x, sum);
        }
        float all = Vectors.sum(sum);
        return whole < n ? all + weightedSquaresTail(in + 4 * whole, weights + 4 * whole, first(n - whole)) : all;
    }

    private static float weightedSquaresTail(long in, long weights, VectorMask<Float> tail) {
        FloatVector x = load(in, tail).mul(load(weights, tail));
        return Vectors.sum(x.mul(x));
    }

    /** What all rows of a StripedAdamW update share. */
    record StripedFactors(float beta1, float gradientScale, float keep, float stepSize, float epsilon) {}

    static void stripedAdamW(
            long w, long g, long m, long columnDeviations, long n, float rowDeviation, StripedFactors f) {
        long whole = whole(n);
        striped(
                w,
                g,
                m,
                columnDeviations,
                whole,
                f.beta1,
                f.gradientScale,
                f.keep,
                f.stepSize,
                rowDeviation,
                f.epsilon);
        if (whole < n) {
            long o = 4 * whole;
            stripedTail(w + o, g + o, m + o, columnDeviations + o, first(n - whole), rowDeviation, f);
        }
    }

    private static void striped(
            long w,
            long g,
            long m,
            long columns,
            long n,
            float beta1,
            float scale,
            float keep,
            float stepSize,
            float row,
            float epsilon) {
        for (long o = 0; o < 4 * n; o += Vectors.BYTES) {
            FloatVector mean = load(m + o).mul(beta1).add(load(g + o).mul(scale).mul(1 - beta1));
            store(m + o, mean);
            FloatVector denominator = load(columns + o).mul(row).add(epsilon);
            store(w + o, load(w + o).mul(keep).sub(mean.mul(stepSize).div(denominator)));
        }
    }

    private static void stripedTail(
            long w, long g, long m, long columns, VectorMask<Float> tail, float row, StripedFactors f) {
        FloatVector mean = load(m, tail)
                .mul(f.beta1)
                .add(load(g, tail).mul(f.gradientScale).mul(1 - f.beta1));
        store(m, mean, tail);
        FloatVector denominator = load(columns, tail).mul(row).add(f.epsilon);
        store(w, load(w, tail).mul(f.keep).sub(mean.mul(f.stepSize).div(denominator)), tail);
    }

    /** w = keep·w - factor·weights·g. */
    static void subtractWeighted(long w, long g, long weights, float keep, float factor, long n) {
        long whole = whole(n);
        for (long o = 0; o < 4 * whole; o += Vectors.BYTES) {
            FloatVector update = load(g + o).mul(load(weights + o)).mul(factor);
            store(w + o, load(w + o).mul(keep).sub(update));
        }
        if (whole < n) {
            long o = 4 * whole;
            subtractWeightedTail(w + o, g + o, weights + o, keep, factor, first(n - whole));
        }
    }

    private static void subtractWeightedTail(
            long w, long g, long weights, float keep, float factor, VectorMask<Float> tail) {
        FloatVector update = load(g, tail).mul(load(weights, tail)).mul(factor);
        store(w, load(w, tail).mul(keep).sub(update), tail);
    }

    /** v = decay·v + (1 - decay)·((scale·g)² + floor); returns the sum of (scale·g)² / v. */
    static float averageSquares(long g, long v, float scale, float decay, float floor, long n) {
        FloatVector sum = zeros();
        long whole = whole(n);
        for (long o = 0; o < 4 * whole; o += Vectors.BYTES) {
            FloatVector x = load(g + o).mul(scale);
            FloatVector square = x.mul(x);
            FloatVector mean = load(v + o).mul(decay).add(square.add(floor).mul(1 - decay));
            store(v + o, mean);
            sum = sum.add(square.div(mean));
        }
        float all = Vectors.sum(sum);
        long o = 4 * whole;
        return whole < n ? all + averageSquaresTail(g + o, v + o, scale, decay, floor, n - whole) : all;
    }

    private static float averageSquaresTail(long g, long v, float scale, float decay, float floor, long n) {
        float sum = 0;
        for (long i = 0; i < n; i++) {
            float x = Vectors.getFloat(g + 4 * i) * scale;
            float mean = Vectors.getFloat(v + 4 * i) * decay + (x * x + floor) * (1 - decay);
            Vectors.putFloat(v + 4 * i, mean);
            sum += x * x / mean;
        }
        return sum;
    }

    /** w = keep·w - factor·g/√v. */
    static void subtractRooted(long w, long g, long v, float keep, float factor, long n) {
        long whole = whole(n);
        for (long o = 0; o < 4 * whole; o += Vectors.BYTES) {
            FloatVector update = load(g + o).mul(factor).div(load(v + o).sqrt());
            store(w + o, load(w + o).mul(keep).sub(update));
        }
        for (long o = 4 * whole; o < 4 * n; o += 4) {
            float update = Vectors.getFloat(g + o) * factor / (float) Math.sqrt(Vectors.getFloat(v + o));
            Vectors.putFloat(w + o, Vectors.getFloat(w + o) * keep - update);
        }
    }
}
