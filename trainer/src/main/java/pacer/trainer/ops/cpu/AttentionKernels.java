package pacer.trainer.ops.cpu;

import static pacer.trainer.ops.cpu.VectorMath.expOrZero;
import static pacer.trainer.ops.cpu.Vectors.BYTES;
import static pacer.trainer.ops.cpu.Vectors.F;
import static pacer.trainer.ops.cpu.Vectors.LANES;
import static pacer.trainer.ops.cpu.Vectors.constant;
import static pacer.trainer.ops.cpu.Vectors.load;
import static pacer.trainer.ops.cpu.Vectors.loadInts;
import static pacer.trainer.ops.cpu.Vectors.store;
import static pacer.trainer.ops.cpu.Vectors.zeros;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import pacer.trainer.ops.Dropout;

/** Attention scores that lie transposed: a row a key, {@link #QUERIES} queries a row. Statistics are a row of their own. */
final class AttentionKernels {
    /** Queries a row: two vectors. */
    static final int QUERIES = 2 * LANES;

    private static final long ROW = 4L * QUERIES;
    private static final FloatVector IOTA = FloatVector.zero(F).addIndex(1);
    private static final float MASKED = Float.NEGATIVE_INFINITY;

    private AttentionKernels() {}

    /** Of the keys that are the panel's own queries, row after row, sets those later than a query to minus infinity. */
    static void maskLater(long s, int n) {
        for (int j = 0; j < n; j++) {
            long at = s + j * ROW;
            store(at, load(at).blend(MASKED, IOTA.compare(VectorOperators.LT, (float) j)));
            store(at + BYTES, load(at + BYTES).blend(MASKED, IOTA.compare(VectorOperators.LT, (float) (j - LANES))));
        }
    }

    /** Sets keys [low, high) to minus infinity for queries whose first key is later; {@code s} begins with key low. */
    static void maskEarlier(long s, int low, int high, long firstKeys) {
        IntVector first0 = loadInts(firstKeys);
        IntVector first1 = loadInts(firstKeys + BYTES);
        for (int j = low; j < high; j++) {
            long at = s + (j - low) * ROW;
            store(
                    at,
                    load(at).blend(MASKED, first0.compare(VectorOperators.GT, j).cast(F)));
            store(
                    at + BYTES,
                    load(at + BYTES)
                            .blend(MASKED, first1.compare(VectorOperators.GT, j).cast(F)));
        }
    }

    /** max = the largest score of each query over {@code n} keys. */
    static void columnMax(long s, int n, long max) {
        FloatVector m0 = constant(MASKED);
        FloatVector m1 = constant(MASKED);
        for (int j = 0; j < n; j++) {
            long at = s + j * ROW;
            m0 = m0.max(load(at));
            m1 = m1.max(load(at + BYTES));
        }
        store(max, m0);
        store(max + BYTES, m1);
    }

    /** s = exp((s - max)·scale) and its sum over the keys. */
    static void exponentials(long s, int n, long max, float scale, long sums) {
        for (int o = 0; o < ROW; o += BYTES) {
            exponentialsOfOne(s + o, n, max + o, scale, sums + o);
        }
    }

    private static void exponentialsOfOne(long s, int n, long max, float scale, long sums) {
        FloatVector m = load(max);
        FloatVector sum = zeros();
        for (int j = 0; j < n; j++) {
            FloatVector e = expOrZero(load(s + j * ROW).sub(m).mul(scale));
            store(s + j * ROW, e);
            sum = sum.add(e);
        }
        store(sums, sum);
    }

    /** s = s / sums. */
    static void normalize(long s, int n, long sums) {
        FloatVector factor0 = constant(1f).div(load(sums));
        FloatVector factor1 = constant(1f).div(load(sums + BYTES));
        for (int j = 0; j < n; j++) {
            long at = s + j * ROW;
            store(at, load(at).mul(factor0));
            store(at + BYTES, load(at + BYTES).mul(factor1));
        }
    }

    /** max = max·scale + ln sums. */
    static void logSumExp(long max, long sums, float scale) {
        for (int o = 0; o < ROW; o += BYTES) {
            store(max + o, load(max + o).mul(scale).add(VectorMath.logFromOne(load(sums + o))));
        }
    }

    /** s = exp(s·scale - logSumExp), the probabilities p, and the sum of p·dp over the keys. */
    static void probabilities(long s, long dp, int n, float scale, long logSumExp, long dots) {
        // a vector at a time: C2 gives up inlining in methods with several exponentials
        for (int o = 0; o < ROW; o += BYTES) {
            probabilitiesOfOne(s + o, dp + o, n, scale, logSumExp + o, dots + o);
        }
    }

    private static void probabilitiesOfOne(long s, long dp, int n, float scale, long logSumExp, long dots) {
        FloatVector lse = load(logSumExp);
        FloatVector dot = zeros();
        for (int j = 0; j < n; j++) {
            FloatVector p = expOrZero(load(s + j * ROW).mul(scale).sub(lse));
            store(s + j * ROW, p);
            dot = p.fma(load(dp + j * ROW), dot);
        }
        store(dots, dot);
    }

    /** dp = p·(dp - dots)·scale: the gradient of the unscaled scores. */
    static void scoreGradients(long p, long dp, int n, float scale, long dots) {
        FloatVector dot0 = load(dots);
        FloatVector dot1 = load(dots + BYTES);
        for (int j = 0; j < n; j++) {
            long o = j * ROW;
            store(dp + o, load(dp + o).sub(dot0).mul(load(p + o)).mul(scale));
            store(
                    dp + o + BYTES,
                    load(dp + o + BYTES).sub(dot1).mul(load(p + o + BYTES)).mul(scale));
        }
    }

    /**
     * Drops elements of {@code x}, whose first is {@code element} of the dropout's stream; a key is one element further, a query
     * {@code stride}.
     */
    static void dropout(long x, int n, Dropout dropout, long element, int stride) {
        int key = (int) (dropout.key() ^ (dropout.key() >>> 32));
        int threshold = dropout.threshold();
        float scale = dropout.scale();
        IntVector steps = Vectors.iota().mul(stride);
        for (int j = 0; j < 2 * n; j++) {
            long first = element + j / 2 + (long) (j % 2) * LANES * stride;
            long at = x + (long) j * BYTES;
            store(at, load(at).mul(VectorMath.survivors(key, first, steps, threshold, scale)));
        }
    }
}
