package pacer.trainer.model;

import java.lang.foreign.MemorySegment;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.ModelSpec;

/** Buffers that all blocks of a lane share. P is the dtype of products; those of gradients are null without training. */
record Working(
        Branch branch,
        Tensor normed, // (B, T, C) P; null where each block keeps its own
        Tensor activated, // (B, T, 4C) P; likewise
        Tensor dNormed, // (B, T, C)
        Tensor dHidden, // (B, T, 4C)
        Tensor dHiddenProduct, // (B, T, 4C) P; dHidden itself in fp32
        Heads.Triple dAttending, // F32 where attention takes other than the linear layer gives, else P
        Tensor dQkv, // (B, T, 3C) P; that of dAttending where dtypes are the same
        Tensor valueScale, // (2): a constant factor of values, and 0; null where it is 1
        Tensor dValueScale) { // (2), which nobody looks at

    static Working training(Device device, ModelSpec model, MemoryPolicy policy, DType product, int b, int t) {
        int c = model.width();
        Tensor dHidden = device.allocate("dHidden", DType.F32, b, t, 4 * c);
        Tensor dQkv = device.allocate("dQkv", product, b, t, 3 * c);
        return new Working(
                Branch.training(device, product, model.dropout() > 0, b, t, c),
                policy.keepsNormed() ? null : device.allocate("normedShared", product, b, t, c),
                policy.keepsActivated() ? null : device.allocate("activatedShared", product, b, t, 4 * c),
                device.allocate("dNormed", DType.F32, b, t, c),
                dHidden,
                product == DType.F32 ? dHidden : device.allocate("dHiddenProduct", product, b, t, 4 * c),
                Heads.Triple.of(
                        product == DType.F32 || !Heads.changes(model)
                                ? dQkv
                                : device.allocate("dAttending", DType.F32, b, t, 3 * c)),
                dQkv,
                valueScale(device, model),
                model.attention().valueScale() == 1 ? null : device.allocate("dValueScale", DType.F32, 2));
    }

    static Working forwardOnly(Device device, ModelSpec model) {
        return new Working(
                Branch.forwardOnly(device), null, null, null, null, null, null, null, valueScale(device, model), null);
    }

    private static Tensor valueScale(Device device, ModelSpec model) {
        float scale = (float) model.attention().valueScale();
        return scale == 1
                ? null
                : device.constant("valueScale", DType.F32, () -> MemorySegment.ofArray(new float[] {scale, 0}), 2);
    }
}
