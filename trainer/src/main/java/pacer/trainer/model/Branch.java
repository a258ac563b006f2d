package pacer.trainer.model;

import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Dropout;
import pacer.trainer.ops.Operations;
import pacer.trainer.ops.Tensor;

/** How a half of a block ends: a linear layer whose output, after dropout, is added to the residual stream. */
final class Branch {
    private final Operations ops;
    private final Tensor output; // (B, T, C) before dropout; its gradient after. Null without dropout
    private final Tensor dProduct; // (B, T, C) P; null in fp32 and without training

    private Branch(Operations ops, Tensor output, Tensor dProduct) {
        this.ops = ops;
        this.output = output;
        this.dProduct = dProduct;
    }

    static Branch training(Device device, DType product, boolean dropout, int b, int t, int c) {
        return new Branch(
                device.operations(),
                dropout ? device.allocate("branch", DType.F32, b, t, c) : null,
                product != DType.F32 ? device.allocate("dBranchProduct", product, b, t, c) : null);
    }

    static Branch forwardOnly(Device device) {
        return new Branch(device.operations(), null, null);
    }

    /** out = residual + dropout(in·weightᵀ + bias); {@code out} may be the residual itself. */
    void add(Tensor out, Tensor residual, Tensor in, Tensor weight, Tensor bias, Dropout dropout) {
        if (dropout.isActive()) {
            ops.linearForward(output, in, weight, bias, false);
            ops.dropout(output, output, dropout);
            ops.add(out, residual, output);
        } else {
            if (out != residual) {
                ops.convert(out, residual);
            }
            ops.linearForward(out, in, weight, bias, true);
        }
    }

    /** The gradient of the linear layer's output, in the dtype of products. */
    Tensor gradient(Tensor dResidual, Dropout dropout) {
        Tensor d = dResidual;
        if (dropout.isActive()) {
            ops.dropout(output, dResidual, dropout);
            d = output;
        }
        if (dProduct != null) {
            ops.convert(dProduct, d);
            d = dProduct;
        }
        return d;
    }
}
