package pacer.trainer.model;

import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.ModelSpec;

/**
 * Activations of a forward pass that no backward pass follows. All blocks take turns with one set, and within a block what is
 * dead makes room for what comes. P is the dtype of products.
 */
record ForwardBuffers(
        int width,
        Tensor narrow, // (rows, C) P: normed, attended, normed again
        Tensor wide, // (rows, 4C): queries, keys and values, then the hidden layer
        Tensor activated, // (rows, 4C) P
        Normalization.Statistics statistics, // (rows)
        Tensor headRstd) { // (rows, H); null where queries and keys are not normalised

    static ForwardBuffers allocate(Device device, ModelSpec model, DType product, int rows) {
        int c = model.width();
        return new ForwardBuffers(
                c,
                device.allocate("narrow", product, rows, c),
                device.allocate("wide", DType.F32, rows, 4 * c),
                device.allocate("activated", product, rows, 4 * c),
                Normalization.Statistics.allocate(model, device, "", rows),
                Heads.Saved.rstd(model, device, "queries or keys", rows));
    }

    /** {@code logSumExp}: (B, H, T), or null with a cache. */
    Attention.Saved attention(int b, int t, Tensor logSumExp) {
        Heads.Triple qkv = Heads.Triple.of(wide.slice("qkv", 0, b, t, 3 * width));
        Tensor rstd = headRstd == null ? null : headRstd.slice("head rstd", 0, b, t, headRstd.columns());
        Tensor attended = narrow.slice("attended", 0, b, t, width);
        return new Attention.Saved(
                narrow.slice("normed1", 0, b, t, width),
                statistics.first(b, t),
                new Heads.Saved(qkv, qkv, rstd, rstd),
                logSumExp,
                attended,
                attended);
    }

    FeedForward.Saved feedForward(int b, int t) {
        return new FeedForward.Saved(
                narrow.slice("normed2", 0, b, t, width),
                statistics.first(b, t),
                wide.slice("hidden", 0, b, t, 4 * width),
                activated.slice("activated", 0, b, t, 4 * width));
    }
}
