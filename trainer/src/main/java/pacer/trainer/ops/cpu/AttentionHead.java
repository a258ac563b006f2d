package pacer.trainer.ops.cpu;

import static pacer.trainer.ops.cpu.Vectors.LANES;

import pacer.trainer.ops.Dropout;

/**
 * Attention of one head of one sequence. Queries go through in blocks, so that scores take {@code BLOCK x T} floats whatever the
 * length; blocks of keys that no query of a group may see are skipped; the backward pass computes the probabilities again from
 * the log-sum-exp (Dao et al. 2022).
 *
 * <p>Reading past a row's last column is allowed (it lands in padding columns that are dropped); writing never happens.
 */
final class AttentionHead {
    /** Queries a block. */
    private static final int BLOCK = 64;
    /** Queries a group: rows that are multiplied together and share a range of keys. */
    private static final int GROUP = 8;
    /** Keys a panel. */
    private static final int PANEL = 2 * LANES;

    private final Scratch scratch;

    // the head at hand; strides in bytes
    private int length; // T
    private int width; // D
    private int paddedWidth; // D rounded up to whole vectors
    private float scale;
    private long q, qRow;
    private long k, kRow;
    private long v, vRow;
    private long firstKey; // address of int32 per query, or 0
    private long scores, scoreRow;
    private Dropout dropout;
    private long dropoutBase;

    AttentionHead(Scratch scratch) {
        this.scratch = scratch;
    }

    /** Takes up a head. {@code dropoutBase} is the element of the first probability in the dropout's stream. */
    void head(int length, int width, long firstKey, Dropout dropout, long dropoutBase) {
        this.length = length;
        this.width = width;
        this.paddedWidth = Math.ceilDiv(width, LANES) * LANES;
        this.scale = (float) (1 / Math.sqrt(width));
        this.firstKey = firstKey;
        this.dropout = dropout;
        this.dropoutBase = dropoutBase;
        // one vector more than needed: rows a power of two apart would share cache sets
        this.scoreRow = 4L * (Math.ceilDiv(length, PANEL) * PANEL + LANES);
        this.scores = scratch.reserve(Scratch.SCORES, scoreRow * BLOCK);
    }

    /** Where the head's queries, keys and values lie, and how many bytes apart their rows are. */
    void rows(long q, long qRow, long k, long kRow, long v, long vRow) {
        this.q = q;
        this.qRow = qRow;
        this.k = k;
        this.kRow = kRow;
        this.v = v;
        this.vRow = vRow;
    }

    /** Whether results can be written straight to F32 rows, or must go through {@link #resultScratch}. */
    boolean writesWholeVectors() {
        return width == paddedWidth;
    }

    /** Room for {@code count} results of T rows of {@link #paddedWidth} floats. */
    long resultScratch(int count) {
        return scratch.reserve(Scratch.HEAD, 4L * count * length * paddedWidth);
    }

    int paddedWidth() {
        return paddedWidth;
    }

    /** out (T, D) and logSumExp (T). */
    void forward(long out, long outRow, long logSumExp) {
        long keys = scratch.reserve(Scratch.KEYS, 4L * Math.ceilDiv(length, PANEL) * PANEL * width);
        TransposeKernels.panels(k, kRow, length, width, PANEL, keys, scratch);
        for (int start = 0; start < length; start += BLOCK) {
            int end = Math.min(length, start + BLOCK);
            products(q, qRow, keys, scores, start, end);
            for (int i = start; i < end; i++) {
                softmax(i, start, end, logSumExp);
            }
            for (int i = start; i < end; i += GROUP) {
                int low = lowKey(i);
                int last = Math.min(i + GROUP, end);
                long p = scores + (i - start) * scoreRow + 4L * low;
                TileKernels.multiply(
                        last - i,
                        paddedWidth,
                        last - low,
                        p,
                        scoreRow,
                        4,
                        v + low * vRow,
                        vRow,
                        out + i * outRow,
                        outRow,
                        false);
            }
        }
    }

    /** dQ, dK, dV (T, D). */
    void backward(
            long dOut, long dOutRow, long logSumExp, long dQ, long dQRow, long dK, long dKRow, long dV, long dVRow) {
        long panelBytes = 4L * Math.ceilDiv(length, PANEL) * PANEL * width;
        long keys = scratch.reserve(Scratch.KEYS, panelBytes);
        long values = scratch.reserve(Scratch.VALUES, panelBytes);
        long dScores = scratch.reserve(Scratch.SCORE_GRADIENTS, scoreRow * BLOCK);
        TransposeKernels.panels(k, kRow, length, width, PANEL, keys, scratch);
        TransposeKernels.panels(v, vRow, length, width, PANEL, values, scratch);
        for (int i = 0; i < length; i++) {
            Vectors.zero(dK + i * dKRow, 4L * paddedWidth);
            Vectors.zero(dV + i * dVRow, 4L * paddedWidth);
        }
        for (int start = 0; start < length; start += BLOCK) {
            int end = Math.min(length, start + BLOCK);
            products(q, qRow, keys, scores, start, end);
            products(dOut, dOutRow, values, dScores, start, end);
            for (int i = start; i < end; i++) {
                probabilitiesAndGradients(i, start, end, logSumExp, dScores);
            }
            for (int i = start; i < end; i += GROUP) {
                int low = lowKey(i);
                int last = Math.min(i + GROUP, end);
                long ds = dScores + (i - start) * scoreRow + 4L * low;
                TileKernels.multiply(
                        last - i,
                        paddedWidth,
                        last - low,
                        ds,
                        scoreRow,
                        4,
                        k + low * kRow,
                        kRow,
                        dQ + i * dQRow,
                        dQRow,
                        false);
            }
            for (int j = lowKey(start); j < end; j += GROUP) {
                int from = Math.max(start, j);
                int to = lastSeer(j, from, end);
                int keysHere = Math.min(GROUP, length - j);
                long at = (from - start) * scoreRow + 4L * j;
                TileKernels.multiply(
                        keysHere,
                        paddedWidth,
                        to - from,
                        dScores + at,
                        4,
                        scoreRow,
                        q + from * qRow,
                        qRow,
                        dK + j * dKRow,
                        dKRow,
                        true);
                TileKernels.multiply(
                        keysHere,
                        paddedWidth,
                        to - from,
                        scores + at,
                        4,
                        scoreRow,
                        dOut + from * dOutRow,
                        dOutRow,
                        dV + j * dVRow,
                        dVRow,
                        true);
            }
        }
    }

    /** First key that query {@code i} may see. */
    private int first(int i) {
        return firstKey == 0 ? 0 : Vectors.getInt(firstKey + 4L * i);
    }

    /** First key, rounded down to a panel, of the group that begins with query {@code i}. */
    private int lowKey(int i) {
        return first(i) / PANEL * PANEL;
    }

    /** One past the last query before {@code end}, in whole groups, whose group's panels begin at or before key {@code j}. */
    private int lastSeer(int j, int from, int end) {
        if (firstKey == 0) {
            return end;
        }
        int to = from;
        while (to < end && lowKey(to) <= j) {
            to = Math.min(end, to + GROUP);
        }
        return to;
    }

    /** Rows of left·rightᵀ for queries [start, end), for all panels that their groups may see. */
    private void products(long left, long leftRow, long panels, long out, int start, int end) {
        for (int i = start; i < end; i += GROUP) {
            int last = Math.min(i + GROUP, end);
            for (int j = lowKey(i); j < last; j += PANEL) {
                long panel = panels + 4L * j * width;
                long to = out + (i - start) * scoreRow + 4L * j;
                TileKernels.multiply(
                        last - i, PANEL, width, left + i * leftRow, leftRow, 4, panel, 4L * PANEL, to, scoreRow, false);
            }
        }
    }

    /** One past the last column computed for query i's group. */
    private int highKey(int i, int start, int end) {
        int groupEnd = Math.min(end, start + ((i - start) / GROUP + 1) * GROUP);
        return Math.ceilDiv(groupEnd, PANEL) * PANEL;
    }

    private int groupStart(int i, int start) {
        return start + (i - start) / GROUP * GROUP;
    }

    private void softmax(int i, int start, int end, long logSumExp) {
        int low = lowKey(groupStart(i, start));
        int high = highKey(i, start, end);
        long s = scores + (i - start) * scoreRow;
        AttentionKernels.mask(s, low, first(i), i, high);
        float max = AttentionKernels.rowMax(s + 4L * low, high - low);
        float sum = AttentionKernels.exponentials(s + 4L * low, high - low, max, scale);
        ElementKernels.scale(s + 4L * low, s + 4L * low, 1 / sum, high - low);
        Vectors.putFloat(logSumExp + 4L * i, (float) (max * scale + Math.log(sum)));
        if (dropout.isActive()) {
            drop(s, s, i, low, high);
        }
    }

    private void drop(long from, long to, int i, int low, int high) {
        int n = Math.min(high, length) - low;
        long element = dropoutBase + (long) i * length + low;
        ElementKernels.dropout(from + 4L * low, to + 4L * low, n, dropout, element);
    }

    /** scores row = probabilities (after dropout); dScores row = gradient of the unscaled scores. */
    private void probabilitiesAndGradients(int i, int start, int end, long logSumExp, long dScores) {
        int low = lowKey(groupStart(i, start));
        int high = highKey(i, start, end);
        long s = scores + (i - start) * scoreRow;
        long ds = dScores + (i - start) * scoreRow;
        AttentionKernels.mask(s, low, first(i), i, high);
        AttentionKernels.probabilities(s + 4L * low, high - low, scale, Vectors.getFloat(logSumExp + 4L * i));
        if (dropout.isActive()) {
            drop(ds, ds, i, low, high);
        }
        AttentionKernels.scoreGradients(s + 4L * low, ds + 4L * low, high - low, scale);
        if (dropout.isActive()) {
            drop(s, s, i, low, high);
        }
    }
}
