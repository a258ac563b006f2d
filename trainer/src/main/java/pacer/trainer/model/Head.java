package pacer.trainer.model;

import java.util.ArrayList;
import java.util.List;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Operations;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.ModelSpec;

/**
 * From the last norm to the losses, and back. Logits are the widest that a model has, so where a batch's would take more than
 * {@link MemoryPolicy#logitBytes} they are there for some rows at a time: forward and backward pass of those, then of the next. Parts come in the
 * order of rows, and the gradient of the head's weights adds up over them.
 */
final class Head {
    private static final int ROWS_TOGETHER = 64; // parts begin where products like to

    private final Operations ops;
    private final float softcap;
    private final Tensor weight; // (V, C) in the dtype of products
    private final Tensor dWeight; // (V, C) F32; null without training
    private final List<Part> parts = new ArrayList<>();
    private final int partRows;
    private int atHand = -1; // the part whose logits are there; -1: none's

    /** Views of some rows. */
    private record Part(
            Tensor normed, // (rows, C) in the dtype of products
            Tensor dNormed, // (rows, C); null without training
            Tensor logits, // (rows, V), rows padded
            Tensor dLogits, // (rows, V) in the dtype of products; logits themselves in fp32
            Tensor targets, // (rows) I32
            Tensor losses) {} // (rows)

    /**
     * Plans the logits.
     *
     * @param weight (V, C) in the dtype of products
     * @param dWeight (V, C) F32; null without training
     * @param normed (B, T, C) in the dtype of products
     * @param dNormed (B, T, C); null without training
     * @param targets (B*T) I32
     * @param losses (B*T)
     */
    Head(
            ModelSpec model,
            MemoryPolicy policy,
            Device device,
            Tensor weight,
            Tensor dWeight,
            Tensor normed,
            Tensor dNormed,
            Tensor targets,
            Tensor losses) {
        this.ops = device.operations();
        this.softcap = (float) model.softcap();
        this.weight = weight;
        this.dWeight = dWeight;
        DType product = normed.dtype();
        int rows = normed.rows();
        int c = model.width();
        partRows = partRows(rows, 4 * DType.F32.paddedStride(model.vocabulary()), policy.logitBytes());
        Tensor logits = device.allocatePadded("logits", DType.F32, partRows, model.vocabulary());
        Tensor dLogits = dWeight == null || product == DType.F32
                ? logits
                : device.allocatePadded("dLogitsProduct", product, partRows, model.vocabulary());
        for (int from = 0; from < rows; from += partRows) {
            int count = Math.min(partRows, rows - from);
            parts.add(new Part(
                    normed.slice("normed", (long) from * c, count, c),
                    dNormed == null ? null : dNormed.slice("dNormed", (long) from * c, count, c),
                    first(logits, count),
                    first(dLogits, count),
                    targets.slice("targets", from, count),
                    losses.slice("losses", from, count)));
        }
    }

    /** Rows of all parts but the last, which may have fewer; {@code rows} where their logits fit. */
    static int partRows(int rows, long rowBytes, long logitBytes) {
        int most = Math.clamp(logitBytes / rowBytes, 1, rows);
        int each = Math.ceilDiv(rows, Math.ceilDiv(rows, most));
        int rounded = Math.ceilDiv(each, ROWS_TOGETHER) * ROWS_TOGETHER;
        return rounded <= most ? rounded : each;
    }

    private static Tensor first(Tensor padded, int rows) {
        return rows == padded.rows()
                ? padded
                : new Tensor(
                        padded.name(), padded.dtype(), padded.address(), padded.rowStride(), rows, padded.columns());
    }

    /** A forward pass has written other rows: what logits there are is no more theirs. */
    void forget() {
        atHand = -1;
    }

    /**
     * Losses, and the gradients of {@code normed} and of the head's weights.
     *
     * @param add to the weights' gradient that is there
     */
    void forwardBackward(float gradientScale, boolean add) {
        forget(); // logits become their gradients
        boolean begun = add;
        for (Part part : parts) {
            ops.linearForward(part.logits, part.normed, weight, null, false);
            ops.crossEntropy(part.losses, part.logits, part.targets, gradientScale, softcap);
            if (part.dLogits.dtype() != part.logits.dtype()) {
                ops.convert(part.dLogits, part.logits);
            }
            ops.linearBackwardWeight(dWeight, null, part.dLogits, part.normed, begun);
            ops.linearBackwardInput(part.dNormed, part.dLogits, weight, false);
            begun = true;
        }
    }

    /** The losses alone. */
    void forward() {
        forward(parts.size() * partRows);
    }

    /** The losses of the first {@code rows} alone, and of what shares the last part with them. */
    void forward(int rows) {
        for (int part = 0; part < parts.size() && part * partRows < rows; part++) {
            Part some = bring(part);
            ops.crossEntropyForward(some.losses, some.logits, some.targets, softcap);
        }
    }

    /** Uncapped logits (1, V) of a row, valid until others are asked for. */
    Tensor logits(int row) {
        Tensor logits = bring(row / partRows).logits;
        return new Tensor(
                "logits row", DType.F32, logits.rowAddress(row % partRows), logits.columns(), logits.columns());
    }

    private Part bring(int part) {
        Part rows = parts.get(part);
        if (atHand != part) {
            ops.linearForward(rows.logits, rows.normed, weight, null, false);
            atHand = part;
        }
        return rows;
    }

    /** How many parts. */
    int parts() {
        return parts.size();
    }
}
