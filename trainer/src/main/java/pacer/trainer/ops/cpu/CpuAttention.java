package pacer.trainer.ops.cpu;

import pacer.trainer.ops.DType;
import pacer.trainer.ops.Dropout;
import pacer.trainer.ops.Shapes;
import pacer.trainer.ops.Tensor;

/** Attention, a head at a time. */
interface CpuAttention extends CpuWork {
    AttentionHead head(int member);

    @Override
    default void attentionForward(
            Tensor out,
            Tensor logSumExp,
            Tensor q,
            Tensor k,
            Tensor v,
            Tensor firstKey,
            int headCount,
            Dropout dropout) {
        Shapes.attentionForward(out, logSumExp, q, k, v, firstKey, headCount);
        int length = q.dim(1);
        int width = q.columns() / headCount;
        crew().forEachRange((long) q.dim(0) * headCount, 1, (member, from, to) -> {
            AttentionHead head = head(member);
            for (long unit = from; unit < to; unit++) {
                long first = unit / headCount * length;
                int column = (int) (unit % headCount) * width;
                take(head, unit, first, column, length, width, q, k, v, firstKey, dropout);
                long lse = logSumExp.address() + 4 * unit * length;
                if (head.writesWholeVectors() && out.dtype() == DType.F32) {
                    head.forward(CpuWork.at(out, first, column), 4 * out.rowStride(), lse);
                } else {
                    long result = head.resultScratch(1);
                    head.forward(result, 4L * head.paddedWidth(), lse);
                    emit(result, head.paddedWidth(), out, first, column, length, width);
                }
            }
        });
    }

    private static void take(
            AttentionHead head,
            long unit,
            long first,
            int column,
            int length,
            int width,
            Tensor q,
            Tensor k,
            Tensor v,
            Tensor firstKey,
            Dropout dropout) {
        head.head(
                length,
                width,
                firstKey == null ? 0 : firstKey.rowAddress(first / length),
                dropout,
                dropout.firstElement() + unit * length * length);
        head.rows(
                CpuWork.at(q, first, column),
                4 * q.rowStride(),
                CpuWork.at(k, first, column),
                4 * k.rowStride(),
                CpuWork.at(v, first, column),
                4 * v.rowStride());
    }

    /** Writes a head's padded rows to its columns of a tensor, converting when that is bf16. */
    private static void emit(long from, int paddedWidth, Tensor to, long first, int column, int length, int width) {
        for (int i = 0; i < length; i++) {
            long row = from + 4L * i * paddedWidth;
            long at = CpuWork.at(to, first + i, column);
            if (to.dtype() == DType.BF16) {
                ConversionKernels.toBf16(row, at, width);
            } else {
                Vectors.copy(row, at, 4L * width);
            }
        }
    }

    @Override
    default void attentionBackward(
            Tensor dQ,
            Tensor dK,
            Tensor dV,
            Tensor dOut,
            Tensor out,
            Tensor logSumExp,
            Tensor q,
            Tensor k,
            Tensor v,
            Tensor firstKey,
            int headCount,
            Dropout dropout) {
        Shapes.attentionBackward(dQ, dK, dV, dOut, out, logSumExp, q, k, v, firstKey, headCount);
        int length = q.dim(1);
        int width = q.columns() / headCount;
        crew().forEachRange((long) q.dim(0) * headCount, 1, (member, from, to) -> {
            AttentionHead head = head(member);
            for (long unit = from; unit < to; unit++) {
                long first = unit / headCount * length;
                int column = (int) (unit % headCount) * width;
                take(head, unit, first, column, length, width, q, k, v, firstKey, dropout);
                long lse = logSumExp.address() + 4 * unit * length;
                long dOutAt = CpuWork.at(dOut, first, column);
                if (head.writesWholeVectors() && dQ.dtype() == DType.F32) {
                    head.backward(
                            dOutAt,
                            4 * dOut.rowStride(),
                            lse,
                            CpuWork.at(dQ, first, column),
                            4 * dQ.rowStride(),
                            CpuWork.at(dK, first, column),
                            4 * dK.rowStride(),
                            CpuWork.at(dV, first, column),
                            4 * dV.rowStride());
                } else {
                    int padded = head.paddedWidth();
                    long dq = head.resultScratch(3);
                    long dk = dq + 4L * length * padded;
                    long dv = dk + 4L * length * padded;
                    head.backward(dOutAt, 4 * dOut.rowStride(), lse, dq, 4L * padded, dk, 4L * padded, dv, 4L * padded);
                    emit(dq, padded, dQ, first, column, length, width);
                    emit(dk, padded, dK, first, column, length, width);
                    emit(dv, padded, dV, first, column, length, width);
                }
            }
        });
    }

    @Override
    default void attentionCached(
            Tensor out,
            Tensor keys,
            Tensor values,
            Tensor q,
            Tensor k,
            Tensor v,
            Tensor past,
            Tensor firstKey,
            int headCount) {
        Shapes.attentionCached(out, keys, values, q, k, v, past, firstKey, headCount);
        int length = q.dim(1);
        int width = q.columns() / headCount;
        CpuWork.requireRoom(past, length, keys.dim(2));
        long units = (long) q.dim(0) * headCount;
        boolean fromStart = length > 1 && startsAll(past);
        crew().forEachRange(units, 1, (member, from, to) -> {
            for (long unit = from; unit < to; unit++) {
                long b = unit / headCount;
                int column = (int) (unit % headCount) * width;
                int before = CpuWork.integer(past, b);
                for (long t = 0; t < length; t++) {
                    long row = unit * keys.dim(2) + before + t;
                    Vectors.copy(CpuWork.at(k, b * length + t, column), keys.rowAddress(row), 4L * width);
                    Vectors.copy(CpuWork.at(v, b * length + t, column), values.rowAddress(row), 4L * width);
                }
                for (long t = 0; !fromStart && t < length; t++) {
                    CachedAttention.row(
                            CpuWork.at(out, b * length + t, column),
                            out.dtype(),
                            CpuWork.at(q, b * length + t, column),
                            keys,
                            values,
                            unit,
                            firstKey == null ? 0 : CpuWork.integer(firstKey, b * length + t),
                            (int) (before + t + 1),
                            scratch(member));
                }
            }
        });
        if (fromStart) {
            // many rows at once: attention as training has it
            long memory = scratch(0).reserve(Scratch.LOG_SUM_EXP, 4 * units * length);
            Tensor logSumExp = new Tensor("logSumExp", DType.F32, memory, length, q.dim(0), headCount, length);
            attentionForward(out, logSumExp, q, k, v, firstKey, headCount, Dropout.NONE);
        }
    }

    /** Whether no sequence has any positions yet. */
    private static boolean startsAll(Tensor past) {
        for (long b = 0; b < past.size(); b++) {
            if (CpuWork.integer(past, b) > 0) {
                return false;
            }
        }
        return true;
    }
}
