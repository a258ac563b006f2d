package pacer.trainer.model;

import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.ModelSpec;

/** Buffers that all blocks of a lane share. P is the dtype of products; all but {@code branch} are null without training. */
record Working(
        Branch branch,
        Tensor dNormed, // (B, T, C)
        Tensor dHidden, // (B, T, 4C)
        Tensor dHiddenProduct, // (B, T, 4C) P; dHidden itself in fp32
        Tensor dQkv, // (B, T, 3C) P
        Tensor dQ, // (B, T, C) columns of dQkv, like dK and dV
        Tensor dK, // (B, T, C)
        Tensor dV) { // (B, T, C)

    static Working training(Device device, ModelSpec model, DType product, int b, int t) {
        int c = model.width();
        Tensor dHidden = device.allocate("dHidden", DType.F32, b, t, 4 * c);
        Tensor dQkv = device.allocate("dQkv", product, b, t, 3 * c);
        return new Working(
                Branch.training(device, product, model.dropout() > 0, b, t, c),
                device.allocate("dNormed", DType.F32, b, t, c),
                dHidden,
                product == DType.F32 ? dHidden : device.allocate("dHiddenProduct", product, b, t, 4 * c),
                dQkv,
                dQkv.columns("dQ", 0, c),
                dQkv.columns("dK", c, c),
                dQkv.columns("dV", 2 * c, c));
    }

    static Working forwardOnly(Device device) {
        return new Working(Branch.forwardOnly(device), null, null, null, null, null, null, null);
    }
}
