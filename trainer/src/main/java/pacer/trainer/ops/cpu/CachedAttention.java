package pacer.trainer.ops.cpu;

import static pacer.trainer.ops.cpu.Vectors.LANES;

import pacer.trainer.ops.DType;
import pacer.trainer.ops.Tensor;

/** Attention of one query of one head over cached keys: two products of a matrix by a vector, with a softmax between. */
final class CachedAttention {

    private CachedAttention() {}

    /**
     * out (D) = softmax(q·keysᵀ/√D)·values.
     *
     * @param out address of the query's D columns of the output
     * @param keys (B, H, maxT, D), as {@code values}
     * @param unit which head of which sequence, b·H + h
     * @param first the first cached position that the query sees
     * @param end the first behind it that it does not see
     */
    static void row(
            long out, DType dtype, long q, Tensor keys, Tensor values, long unit, int first, int end, Scratch scratch) {
        int visible = end - first;
        int width = keys.columns();
        int room = keys.dim(2);
        int padded = Math.ceilDiv(width, LANES) * LANES;
        long query = scratch.reserve(Scratch.ROW, 8L * padded);
        long result = query + 4L * padded;
        // for the longest, lest every token grows it
        long scores = scratch.reserve(Scratch.SCORES, 4L * room);
        ElementKernels.scale(q, query, (float) (1 / Math.sqrt(width)), width);
        long key = keys.rowAddress(unit * room + first);
        MatrixVectorKernels.multiply(key, 4 * keys.rowStride(), visible, width, query, false, scores);
        float max = LossKernels.max(scores, visible);
        float sum = LossKernels.exponentials(scores, scores, visible, max);
        long value = values.rowAddress(unit * room + first);
        TileKernels.multiply(1, padded, visible, scores, 0, 4, value, 4 * values.rowStride(), result, 0, false);
        if (dtype == DType.BF16) {
            ElementKernels.scale(result, result, 1 / sum, width);
            ConversionKernels.toBf16(result, out, width);
        } else {
            ElementKernels.scale(result, out, 1 / sum, width);
        }
    }
}
