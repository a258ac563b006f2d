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
        Tensor mean, // (rows)
        Tensor rstd) { // (rows)

    static ForwardBuffers allocate(Device device, ModelSpec model, DType product, int rows) {
        int c = model.width();
        return new ForwardBuffers(
                c,
                device.allocate("narrow", product, rows, c),
                device.allocate("wide", DType.F32, rows, 4 * c),
                device.allocate("activated", product, rows, 4 * c),
                device.allocate("mean", DType.F32, rows),
                device.allocate("rstd", DType.F32, rows));
    }

    /** {@code logSumExp}: (B, H, T), or null with a cache. */
    Attention.Saved attention(int b, int t, Tensor logSumExp) {
        return Attention.Saved.of(
                narrow.slice("normed1", 0, b, t, width),
                mean.slice("mean1", 0, b, t),
                rstd.slice("rstd1", 0, b, t),
                wide.slice("qkv", 0, b, t, 3 * width),
                logSumExp,
                narrow.slice("attended", 0, b, t, width));
    }

    FeedForward.Saved feedForward(int b, int t) {
        return new FeedForward.Saved(
                narrow.slice("normed2", 0, b, t, width),
                mean.slice("mean2", 0, b, t),
                rstd.slice("rstd2", 0, b, t),
                wide.slice("hidden", 0, b, t, 4 * width),
                activated.slice("activated", 0, b, t, 4 * width));
    }
}
