package pacer.trainer.ops.cpu;

import static pacer.trainer.ops.cpu.Vectors.LANES;

import pacer.trainer.ops.Dropout;

/**
 * Attention of one head of one sequence. Queries go through in panels, whose scores lie transposed, a row a key and a lane a query:
 * maxima and sums of a softmax are then plain vector arithmetic down the keys. Scores take {@code T x PANEL} floats whatever the
 * length; keys that no query of a panel may see are skipped; the backward pass computes the probabilities again from the
 * log-sum-exp (Dao et al. 2022).
 *
 * <p>Reading past a row's last column is allowed (it lands in padding columns that are dropped); writing never happens.
 */
final class AttentionHead {
    /** Queries a panel. */
    private static final int PANEL = AttentionKernels.QUERIES;
    /** Bytes between the scores of one key and of the next. */
    private static final long ROW = 4L * PANEL;
    /** Rows that are multiplied together. */
    private static final int GROUP = 8;
    /** Keys whose rows stay in the nearest cache while all groups of a panel use them. */
    private static final int NEAR = 128;

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
    private Dropout dropout;
    private long dropoutBase;

    // working memory
    private long scores; // (T, PANEL)
    private long largest; // (PANEL), like the following: maxima, or log-sum-exps
    private long sums;
    private long firstKeys; // int32

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
        this.scores = scratch.reserve(Scratch.SCORES, ROW * length);
        this.largest = scratch.reserve(Scratch.STATISTICS, 3 * ROW);
        this.sums = largest + ROW;
        this.firstKeys = sums + ROW;
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
        long queries = panels(Scratch.QUERIES, q, qRow);
        for (int start = 0; start < length; start += PANEL) {
            int end = Math.min(length, start + PANEL);
            int low = first(start);
            products(k, kRow, queries, scores, start, low, end);
            mask(start, low, end);
            AttentionKernels.columnMax(scores, end - low, largest);
            AttentionKernels.exponentials(scores, end - low, largest, scale, sums);
            AttentionKernels.normalize(scores, end - low, sums);
            AttentionKernels.logSumExp(largest, sums, scale);
            Vectors.copy(largest, logSumExp + 4L * start, 4L * (end - start));
            if (dropout.isActive()) {
                drop(scores, start, low, end);
            }
            weightedRows(scores, v, vRow, out, outRow, start, low, end);
        }
    }

    /** dQ, dK, dV (T, D). */
    void backward(
            long dOut, long dOutRow, long logSumExp, long dQ, long dQRow, long dK, long dKRow, long dV, long dVRow) {
        long queries = panels(Scratch.QUERIES, q, qRow);
        long outputs = panels(Scratch.OUTPUTS, dOut, dOutRow);
        long dScores = scratch.reserve(Scratch.SCORE_GRADIENTS, ROW * length);
        for (int start = 0; start < length; start += PANEL) {
            int end = Math.min(length, start + PANEL);
            int low = first(start);
            int keys = end - low;
            products(k, kRow, queries, scores, start, low, end);
            products(v, vRow, outputs, dScores, start, low, end);
            mask(start, low, end);
            Vectors.copy(logSumExp + 4L * start, largest, 4L * (end - start));
            if (dropout.isActive()) {
                drop(dScores, start, low, end);
            }
            AttentionKernels.probabilities(scores, dScores, keys, scale, largest, sums);
            AttentionKernels.scoreGradients(scores, dScores, keys, scale, sums);
            if (dropout.isActive()) {
                drop(scores, start, low, end);
            }
            weightedRows(dScores, k, kRow, dQ, dQRow, start, low, end);
            addToKeys(dScores, q, qRow, dK, dKRow, start, low, end);
            addToKeys(scores, dOut, dOutRow, dV, dVRow, start, low, end);
        }
    }

    /** First key that query {@code i} may see. */
    private int first(int i) {
        return firstKey == 0 ? 0 : Vectors.getInt(firstKey + 4L * i);
    }

    /** The head's {@code rows} (T, D) as panels of D rows of {@code PANEL} floats. */
    private long panels(int slot, long rows, long rowBytes) {
        long to = scratch.reserve(slot, ROW * Math.ceilDiv(length, PANEL) * width);
        TransposeKernels.panels(rows, rowBytes, length, width, PANEL, to, scratch);
        return to;
    }

    /** out (keys, PANEL): the products of keys [low, end) with the panel of queries that begins with {@code start}. */
    private void products(long keys, long keyRow, long panels, long out, int start, int low, int end) {
        long panel = panels + 4L * start * width;
        TileKernels.multiply(end - low, PANEL, width, keys + low * keyRow, keyRow, 4, panel, ROW, out, ROW, false);
    }

    /** Sets the scores of keys that a query may not see to minus infinity. */
    private void mask(int start, int low, int end) {
        AttentionKernels.maskLater(scores + (start - low) * ROW, end - start);
        int latest = first(end - 1);
        if (latest > low) {
            Vectors.copy(firstKey + 4L * start, firstKeys, 4L * (end - start));
            AttentionKernels.maskEarlier(scores, low, latest, firstKeys);
        }
    }

    private void drop(long x, int start, int low, int end) {
        AttentionKernels.dropout(x, end - low, dropout, dropoutBase + (long) start * length + low, length);
    }

    /** Rows [start, end) of {@code to}: for each query the sum of {@code rows} by the weights that the keys have for it. */
    private void weightedRows(
            long weights, long rows, long rowBytes, long result, long resultRow, int start, int low, int end) {
        for (int near = low; near < end; near += NEAR) {
            for (int i = start; i < end; i += GROUP) {
                int last = Math.min(i + GROUP, end);
                int from = Math.max(near, first(i));
                int to = Math.min(near + NEAR, last);
                if (from < to) {
                    TileKernels.multiply(
                            last - i,
                            paddedWidth,
                            to - from,
                            weights + (from - low) * ROW + 4L * (i - start),
                            4,
                            ROW,
                            rows + from * rowBytes,
                            rowBytes,
                            result + i * resultRow,
                            resultRow,
                            from > first(i));
                }
            }
        }
    }

    /** Adds to the row of each key in {@code to} the sum of the queries' {@code rows} by the weights that it has for them. */
    private void addToKeys(long weights, long rows, long rowBytes, long to, long toRow, int start, int low, int end) {
        if (low < start) {
            TileKernels.multiply(
                    start - low,
                    paddedWidth,
                    end - start,
                    weights,
                    ROW,
                    4,
                    rows + start * rowBytes,
                    rowBytes,
                    to + low * toRow,
                    toRow,
                    true);
        }
        // a key's own panel is the first that sees it: its row begins here
        for (int j = start; j < end; j += GROUP) {
            TileKernels.multiply(
                    Math.min(GROUP, end - j),
                    paddedWidth,
                    end - j,
                    weights + (j - low) * ROW + 4L * (j - start),
                    ROW,
                    4,
                    rows + j * rowBytes,
                    rowBytes,
                    to + j * toRow,
                    toRow,
                    false);
        }
    }
}
