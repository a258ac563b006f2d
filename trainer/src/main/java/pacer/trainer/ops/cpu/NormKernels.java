package pacer.trainer.ops.cpu;

import static pacer.trainer.ops.cpu.Vectors.LANES;
import static pacer.trainer.ops.cpu.Vectors.first;
import static pacer.trainer.ops.cpu.Vectors.load;
import static pacer.trainer.ops.cpu.Vectors.store;
import static pacer.trainer.ops.cpu.Vectors.whole;
import static pacer.trainer.ops.cpu.Vectors.zeros;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/** One row of a normalisation at a time. {@code n} is the width; masked tails serve widths that are no multiple of a vector. */
final class NormKernels {

    private NormKernels() {}

    static float mean(long x, int n) {
        int whole = (int) whole(n);
        FloatVector sum = zeros();
        for (int i = 0; i < whole; i += LANES) {
            sum = sum.add(load(x + 4L * i));
        }
        float total = Vectors.sum(sum);
        if (whole < n) {
            total += sumTail(x + 4L * whole, first(n - whole));
        }
        return total / n;
    }

    private static float sumTail(long x, VectorMask<Float> tail) {
        return Vectors.sum(load(x, tail));
    }

    static float reciprocalDeviation(long x, int n, float mean, float epsilon) {
        int whole = (int) whole(n);
        FloatVector sum = zeros();
        for (int i = 0; i < whole; i += LANES) {
            FloatVector d = load(x + 4L * i).sub(mean);
            sum = d.fma(d, sum);
        }
        float total = Vectors.sum(sum);
        if (whole < n) {
            total += squaresTail(x + 4L * whole, mean, first(n - whole));
        }
        return (float) (1 / Math.sqrt(total / n + epsilon));
    }

    private static float squaresTail(long x, float mean, VectorMask<Float> tail) {
        FloatVector d = zeros().blend(load(x, tail).sub(mean), tail);
        return Vectors.sum(d.mul(d));
    }

    /** out = (x - mean)·rstd·weight + bias ({@code bias} 0: none). */
    static void apply(long x, long weight, long bias, long out, int n, float mean, float rstd) {
        int whole = (int) whole(n);
        for (int i = 0; i < whole; i += LANES) {
            store(out + 4L * i, load(x + 4L * i).sub(mean).mul(rstd).mul(load(weight + 4L * i)));
        }
        if (whole < n) {
            applyTail(x + 4L * whole, weight + 4L * whole, out + 4L * whole, first(n - whole), mean, rstd);
        }
        if (bias != 0) {
            ElementKernels.add(out, bias, out, n);
        }
    }

    private static void applyTail(long x, long weight, long out, VectorMask<Float> tail, float mean, float rstd) {
        store(out, load(x, tail).sub(mean).mul(rstd).mul(load(weight, tail)), tail);
    }

    /** Adds a row's share to the gradients of weight and bias ({@code dBias} 0: none). */
    static void addParameterGradients(long dOut, long x, long dWeight, long dBias, int n, float mean, float rstd) {
        int whole = (int) whole(n);
        for (int i = 0; i < whole; i += LANES) {
            FloatVector normed = load(x + 4L * i).sub(mean).mul(rstd);
            store(dWeight + 4L * i, load(dOut + 4L * i).fma(normed, load(dWeight + 4L * i)));
        }
        if (whole < n) {
            long o = 4L * whole;
            addWeightGradientsTail(dOut + o, x + o, dWeight + o, first(n - whole), mean, rstd);
        }
        if (dBias != 0) {
            ElementKernels.add(dBias, dOut, dBias, n);
        }
    }

    private static void addWeightGradientsTail(
            long dOut, long x, long dWeight, VectorMask<Float> tail, float mean, float rstd) {
        FloatVector normed = load(x, tail).sub(mean).mul(rstd);
        store(dWeight, load(dOut, tail).fma(normed, load(dWeight, tail)), tail);
    }

    /** dIn (+)= rstd·(g - mean(g) - normed·mean(g·normed)) with g = dOut·weight. */
    static void backwardInput(
            long dOut, long x, long weight, long dIn, int n, float mean, float rstd, boolean accumulate) {
        if (!accumulate) {
            Vectors.zero(dIn, 4L * n); // choosing between two vectors by a flag would box them
        }
        float meanG = dot(dOut, weight, n) / n;
        float meanGx = (dotOfThree(dOut, weight, x, n, mean) * rstd) / n;
        addInputGradient(dOut, x, weight, dIn, n, mean, rstd, meanG, meanGx);
    }

    private static void addInputGradient(
            long dOut, long x, long weight, long dIn, int n, float mean, float rstd, float meanG, float meanGx) {
        int whole = (int) whole(n);
        for (int i = 0; i < whole; i += LANES) {
            FloatVector normed = load(x + 4L * i).sub(mean).mul(rstd);
            FloatVector g = load(dOut + 4L * i).mul(load(weight + 4L * i));
            FloatVector d = g.sub(meanG).sub(normed.mul(meanGx)).mul(rstd);
            store(dIn + 4L * i, load(dIn + 4L * i).add(d));
        }
        if (whole < n) {
            long o = 4L * whole;
            VectorMask<Float> tail = first(n - whole);
            addInputGradientTail(dOut + o, x + o, weight + o, dIn + o, tail, mean, rstd, meanG, meanGx);
        }
    }

    private static void addInputGradientTail(
            long dOut,
            long x,
            long weight,
            long dIn,
            VectorMask<Float> tail,
            float mean,
            float rstd,
            float meanG,
            float meanGx) {
        FloatVector normed = load(x, tail).sub(mean).mul(rstd);
        FloatVector g = load(dOut, tail).mul(load(weight, tail));
        FloatVector d = g.sub(meanG).sub(normed.mul(meanGx)).mul(rstd);
        store(dIn, load(dIn, tail).add(d), tail);
    }

    /** Σ a·b. */
    private static float dot(long a, long b, int n) {
        int whole = (int) whole(n);
        FloatVector sum = zeros();
        for (int i = 0; i < whole; i += LANES) {
            sum = load(a + 4L * i).fma(load(b + 4L * i), sum);
        }
        float total = Vectors.sum(sum);
        return whole < n ? total + dotTail(a + 4L * whole, b + 4L * whole, first(n - whole)) : total;
    }

    private static float dotTail(long a, long b, VectorMask<Float> tail) {
        return Vectors.sum(load(a, tail).mul(load(b, tail)));
    }

    /** Σ a·b·(x - mean). */
    private static float dotOfThree(long a, long b, long x, int n, float mean) {
        int whole = (int) whole(n);
        FloatVector sum = zeros();
        for (int i = 0; i < whole; i += LANES) {
            sum = load(a + 4L * i).mul(load(b + 4L * i)).fma(load(x + 4L * i).sub(mean), sum);
        }
        float total = Vectors.sum(sum);
        if (whole < n) {
            total += dotOfThreeTail(a + 4L * whole, b + 4L * whole, x + 4L * whole, first(n - whole), mean);
        }
        return total;
    }

    private static float dotOfThreeTail(long a, long b, long x, VectorMask<Float> tail, float mean) {
        return Vectors.sum(load(a, tail).mul(load(b, tail)).mul(load(x, tail).sub(mean)));
    }

    static float reciprocalRootMeanSquare(long x, int n, float epsilon) {
        return (float) (1 / Math.sqrt(ElementKernels.sumOfSquares(x, n) / (double) n + epsilon));
    }

    /** dIn (+)= rstd·(dOut - normed·mean(dOut·normed)). */
    static void rmsBackward(long dOut, long x, long dIn, int n, float rstd, boolean accumulate) {
        float share = dot(dOut, x, n) * rstd * rstd / n;
        if (accumulate) {
            addRmsGradient(dOut, x, dIn, n, rstd, share);
        } else {
            rmsGradient(dOut, x, dIn, n, rstd, share);
        }
    }

    private static void rmsGradient(long dOut, long x, long dIn, int n, float rstd, float share) {
        int whole = (int) whole(n);
        for (int i = 0; i < whole; i += LANES) {
            store(
                    dIn + 4L * i,
                    load(dOut + 4L * i).sub(load(x + 4L * i).mul(share)).mul(rstd));
        }
        if (whole < n) {
            long o = 4L * whole;
            VectorMask<Float> tail = first(n - whole);
            store(
                    dIn + o,
                    load(dOut + o, tail).sub(load(x + o, tail).mul(share)).mul(rstd),
                    tail);
        }
    }

    private static void addRmsGradient(long dOut, long x, long dIn, int n, float rstd, float share) {
        int whole = (int) whole(n);
        for (int i = 0; i < whole; i += LANES) {
            FloatVector d = load(dOut + 4L * i).sub(load(x + 4L * i).mul(share)).mul(rstd);
            store(dIn + 4L * i, load(dIn + 4L * i).add(d));
        }
        if (whole < n) {
            long o = 4L * whole;
            addRmsGradientTail(dOut + o, x + o, dIn + o, first(n - whole), rstd, share);
        }
    }

    private static void addRmsGradientTail(
            long dOut, long x, long dIn, VectorMask<Float> tail, float rstd, float share) {
        FloatVector d = load(dOut, tail).sub(load(x, tail).mul(share)).mul(rstd);
        store(dIn, load(dIn, tail).add(d), tail);
    }
}
