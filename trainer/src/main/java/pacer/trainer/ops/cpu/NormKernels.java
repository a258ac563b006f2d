package pacer.trainer.ops.cpu;

import static pacer.trainer.ops.cpu.Vectors.LANES;
import static pacer.trainer.ops.cpu.Vectors.first;
import static pacer.trainer.ops.cpu.Vectors.getFloat;
import static pacer.trainer.ops.cpu.Vectors.load;
import static pacer.trainer.ops.cpu.Vectors.store;
import static pacer.trainer.ops.cpu.Vectors.zeros;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/** One row of layer normalisation at a time. {@code n} is the width; masked tails serve widths that are no multiple of a vector. */
final class NormKernels {

    private NormKernels() {}

    static float mean(long x, int n) {
        FloatVector sum = zeros();
        int i = 0;
        for (; i + LANES <= n; i += LANES) {
            sum = sum.add(load(x + 4L * i));
        }
        if (i < n) {
            sum = sum.add(load(x + 4L * i, first(n - i)));
        }
        return Vectors.sum(sum) / n;
    }

    static float reciprocalDeviation(long x, int n, float mean, float epsilon) {
        FloatVector sum = zeros();
        int i = 0;
        for (; i + LANES <= n; i += LANES) {
            FloatVector d = load(x + 4L * i).sub(mean);
            sum = d.fma(d, sum);
        }
        if (i < n) {
            VectorMask<Float> tail = first(n - i);
            FloatVector d = zeros().blend(load(x + 4L * i, tail).sub(mean), tail);
            sum = d.fma(d, sum);
        }
        return (float) (1 / Math.sqrt(Vectors.sum(sum) / n + epsilon));
    }

    static void apply(long x, long weight, long bias, long out, int n, float mean, float rstd) {
        int i = 0;
        if (bias == 0) {
            for (; i + LANES <= n; i += LANES) {
                store(out + 4L * i, load(x + 4L * i).sub(mean).mul(rstd).mul(load(weight + 4L * i)));
            }
        } else {
            for (; i + LANES <= n; i += LANES) {
                FloatVector v = load(x + 4L * i).sub(mean).mul(rstd);
                store(out + 4L * i, v.fma(load(weight + 4L * i), load(bias + 4L * i)));
            }
        }
        if (i < n) {
            VectorMask<Float> tail = first(n - i);
            FloatVector v = load(x + 4L * i, tail).sub(mean).mul(rstd);
            FloatVector b = bias == 0 ? zeros() : load(bias + 4L * i, tail);
            store(out + 4L * i, v.fma(load(weight + 4L * i, tail), b), tail);
        }
    }

    /** Adds a row's share to the gradients of weight and bias ({@code dBias} 0: none). */
    static void addParameterGradients(long dOut, long x, long dWeight, long dBias, int n, float mean, float rstd) {
        int i = 0;
        for (; i + LANES <= n; i += LANES) {
            FloatVector normed = load(x + 4L * i).sub(mean).mul(rstd);
            store(dWeight + 4L * i, load(dOut + 4L * i).fma(normed, load(dWeight + 4L * i)));
        }
        if (i < n) {
            VectorMask<Float> tail = first(n - i);
            FloatVector normed = load(x + 4L * i, tail).sub(mean).mul(rstd);
            store(dWeight + 4L * i, load(dOut + 4L * i, tail).fma(normed, load(dWeight + 4L * i, tail)), tail);
        }
        if (dBias != 0) {
            ElementKernels.add(dBias, dOut, dBias, n);
        }
    }

    /**
     * dIn (+)= rstd·(g - mean(g) - normed·mean(g·normed)) with g = dOut·weight. Two short loops stay within the compiler's budget where one long one would not.
     */
    static void backwardInput(
            long dOut, long x, long weight, long dIn, int n, float mean, float rstd, boolean accumulate) {
        FloatVector sumG = zeros();
        FloatVector sumGx = zeros();
        int i = 0;
        for (; i + LANES <= n; i += LANES) {
            FloatVector g = load(dOut + 4L * i).mul(load(weight + 4L * i));
            sumG = sumG.add(g);
            sumGx = g.fma(load(x + 4L * i).sub(mean).mul(rstd), sumGx);
        }
        if (i < n) {
            VectorMask<Float> tail = first(n - i);
            FloatVector g = load(dOut + 4L * i, tail).mul(load(weight + 4L * i, tail));
            sumG = sumG.add(g);
            sumGx = g.fma(load(x + 4L * i, tail).sub(mean).mul(rstd), sumGx);
        }
        float meanG = Vectors.sum(sumG) / n;
        float meanGx = Vectors.sum(sumGx) / n;
        for (i = 0; i + LANES <= n; i += LANES) {
            FloatVector normed = load(x + 4L * i).sub(mean).mul(rstd);
            FloatVector g = load(dOut + 4L * i).mul(load(weight + 4L * i));
            FloatVector d = g.sub(meanG).sub(normed.mul(meanGx)).mul(rstd);
            store(dIn + 4L * i, accumulate ? d.add(load(dIn + 4L * i)) : d);
        }
        if (i < n) {
            VectorMask<Float> tail = first(n - i);
            FloatVector normed = load(x + 4L * i, tail).sub(mean).mul(rstd);
            FloatVector g = load(dOut + 4L * i, tail).mul(load(weight + 4L * i, tail));
            FloatVector d = g.sub(meanG).sub(normed.mul(meanGx)).mul(rstd);
            store(dIn + 4L * i, accumulate ? d.add(load(dIn + 4L * i, tail)) : d, tail);
        }
    }

    static void backwardRow(
            long dIn,
            long dWeight,
            long dBias,
            long dOut,
            long x,
            long weight,
            long mean,
            long rstd,
            int n,
            boolean add) {
        float m = getFloat(mean);
        float r = getFloat(rstd);
        addParameterGradients(dOut, x, dWeight, dBias, n, m, r);
        backwardInput(dOut, x, weight, dIn, n, m, r, add);
    }

    static float reciprocalRootMeanSquare(long x, int n, float epsilon) {
        return (float) (1 / Math.sqrt(ElementKernels.sumOfSquares(x, n) / (double) n + epsilon));
    }

    /** dIn (+)= rstd·(dOut - normed·mean(dOut·normed)). */
    static void rmsBackward(long dOut, long x, long dIn, int n, float rstd, boolean accumulate) {
        FloatVector sum = zeros();
        int i = 0;
        for (; i + LANES <= n; i += LANES) {
            sum = load(dOut + 4L * i).fma(load(x + 4L * i), sum);
        }
        if (i < n) {
            VectorMask<Float> tail = first(n - i);
            sum = load(dOut + 4L * i, tail).fma(load(x + 4L * i, tail), sum);
        }
        float share = Vectors.sum(sum) * rstd * rstd / n;
        for (i = 0; i + LANES <= n; i += LANES) {
            FloatVector d = load(dOut + 4L * i).sub(load(x + 4L * i).mul(share)).mul(rstd);
            store(dIn + 4L * i, accumulate ? d.add(load(dIn + 4L * i)) : d);
        }
        if (i < n) {
            VectorMask<Float> tail = first(n - i);
            FloatVector d = load(dOut + 4L * i, tail)
                    .sub(load(x + 4L * i, tail).mul(share))
                    .mul(rstd);
            store(dIn + 4L * i, accumulate ? d.add(load(dIn + 4L * i, tail)) : d, tail);
        }
    }
}
