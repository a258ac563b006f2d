package pacer.trainer.model;

import java.util.stream.Stream;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Dropout;
import pacer.trainer.ops.Operations;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.ModelSpec;

/**
 * One transformer block, pre-norm: residual += attention(norm(residual)); residual += feedForward(norm(residual)). Forward and
 * backward stand side by side; both are written in {@link Operations} alone.
 */
final class Block {
    private final ModelSpec model;
    private final Operations ops;
    private final int layer;
    private final Weights weights;
    private final Weights gradients;
    private final Saved saved;
    private final Working working;

    Block(
            ModelSpec model,
            Operations ops,
            int layer,
            Weights weights,
            Weights gradients,
            Saved saved,
            Working working) {
        this.model = model;
        this.ops = ops;
        this.layer = layer;
        this.weights = weights;
        this.gradients = gradients;
        this.saved = saved;
        this.working = working;
    }

    /** A block's parameters, or the gradients of them. Linear weights are in the dtype of products, the rest in F32. */
    record Weights(
            Tensor norm1, // (C)
            Tensor norm1Bias, // (C) or null
            Tensor qkv, // (3C, C)
            Tensor qkvBias, // (3C) or null
            Tensor projection, // (C, C)
            Tensor projectionBias, // (C) or null
            Tensor norm2, // (C)
            Tensor norm2Bias, // (C) or null
            Tensor up, // (4C, C)
            Tensor upBias, // (4C) or null
            Tensor down, // (C, 4C)
            Tensor downBias) { // (C) or null

        /** Views of block {@code layer}'s parameters; linear weights in {@code products}, the rest in {@code flat}. */
        static Weights of(Parameters p, int layer, Tensor flat, Tensor products) {
            String h = "transformer.h." + layer + ".";
            return new Weights(
                    p.in(flat, h + "ln_1.weight"),
                    p.in(flat, h + "ln_1.bias"),
                    p.in(products, h + "attn.c_attn.weight"),
                    p.in(flat, h + "attn.c_attn.bias"),
                    p.in(products, h + "attn.c_proj.weight"),
                    p.in(flat, h + "attn.c_proj.bias"),
                    p.in(flat, h + "ln_2.weight"),
                    p.in(flat, h + "ln_2.bias"),
                    p.in(products, h + "mlp.c_fc.weight"),
                    p.in(flat, h + "mlp.c_fc.bias"),
                    p.in(products, h + "mlp.c_proj.weight"),
                    p.in(flat, h + "mlp.c_proj.bias"));
        }
    }

    /** What the forward pass leaves for the backward pass. P is the dtype of products. */
    record Saved(
            Tensor normed1, // (B, T, C) P
            Tensor mean1, // (B, T)
            Tensor rstd1, // (B, T)
            Tensor qkv, // (B, T, 3C)
            Tensor q, // (B, T, C) columns of qkv, like k and v
            Tensor k, // (B, T, C)
            Tensor v, // (B, T, C)
            Tensor logSumExp, // (B, H, T)
            Tensor attended, // (B, T, C) P
            Tensor residualMid, // (B, T, C)
            Tensor normed2, // (B, T, C) P
            Tensor mean2, // (B, T)
            Tensor rstd2, // (B, T)
            Tensor hidden, // (B, T, 4C)
            Tensor activated) { // (B, T, 4C) P

        static Saved allocate(Device device, ModelSpec model, DType product, int b, int t) {
            int c = model.width();
            Tensor qkv = device.allocate("qkv", DType.F32, b, t, 3 * c);
            return new Saved(
                    device.allocate("normed1", product, b, t, c),
                    device.allocate("mean1", DType.F32, b, t),
                    device.allocate("rstd1", DType.F32, b, t),
                    qkv,
                    qkv.columns("q", 0, c),
                    qkv.columns("k", c, c),
                    qkv.columns("v", 2 * c, c),
                    device.allocate("logSumExp", DType.F32, b, model.heads(), t),
                    device.allocate("attended", product, b, t, c),
                    device.allocate("residualMid", DType.F32, b, t, c),
                    device.allocate("normed2", product, b, t, c),
                    device.allocate("mean2", DType.F32, b, t),
                    device.allocate("rstd2", DType.F32, b, t),
                    device.allocate("hidden", DType.F32, b, t, 4 * c),
                    device.allocate("activated", product, b, t, 4 * c));
        }
    }

    /** Buffers that all blocks of a lane share. */
    record Working(
            Tensor branch, // (B, T, C) a branch's output before dropout; its gradient after
            Tensor dBranchProduct, // (B, T, C) P; null in fp32
            Tensor dNormed, // (B, T, C)
            Tensor dHidden, // (B, T, 4C)
            Tensor dHiddenProduct, // (B, T, 4C) P; dHidden itself in fp32
            Tensor dQkv, // (B, T, 3C) P
            Tensor dQ, // (B, T, C) columns of dQkv, like dK and dV
            Tensor dK, // (B, T, C)
            Tensor dV) { // (B, T, C)

        static Working allocate(Device device, ModelSpec model, DType product, int b, int t, boolean training) {
            int c = model.width();
            Tensor branch = model.dropout() > 0 ? device.allocate("branch", DType.F32, b, t, c) : null;
            if (!training) {
                return new Working(branch, null, null, null, null, null, null, null, null);
            }
            boolean half = product != DType.F32;
            Tensor dHidden = device.allocate("dHidden", DType.F32, b, t, 4 * c);
            Tensor dQkv = device.allocate("dQkv", product, b, t, 3 * c);
            return new Working(
                    branch,
                    half ? device.allocate("dBranchProduct", product, b, t, c) : null,
                    device.allocate("dNormed", DType.F32, b, t, c),
                    dHidden,
                    half ? device.allocate("dHiddenProduct", product, b, t, 4 * c) : dHidden,
                    dQkv,
                    dQkv.columns("dQ", 0, c),
                    dQkv.columns("dK", c, c),
                    dQkv.columns("dV", 2 * c, c));
        }
    }

    /** out = block(in), the residual stream. */
    void forward(Tensor in, Tensor out, DropoutPlan dropout) {
        float epsilon = (float) model.normEpsilon();
        ops.layerNormForward(saved.normed1, saved.mean1, saved.rstd1, in, weights.norm1, weights.norm1Bias, epsilon);
        ops.linearForward(saved.qkv, saved.normed1, weights.qkv, weights.qkvBias, false);
        ops.attentionForward(
                saved.attended,
                saved.logSumExp,
                saved.q,
                saved.k,
                saved.v,
                null,
                model.heads(),
                attentionDropout(dropout));
        addBranch(saved.residualMid, in, saved.attended, weights.projection, weights.projectionBias, site(dropout, 2));

        ops.layerNormForward(
                saved.normed2, saved.mean2, saved.rstd2, saved.residualMid, weights.norm2, weights.norm2Bias, epsilon);
        ops.linearForward(saved.hidden, saved.normed2, weights.up, weights.upBias, false);
        ops.activationForward(saved.activated, saved.hidden, model.activation());
        addBranch(out, saved.residualMid, saved.activated, weights.down, weights.downBias, site(dropout, 3));
    }

    /** dResidual: in, the gradient of the block's output; out, of its input {@code in}. {@code add}: to gradients that are there. */
    void backward(Tensor in, Tensor dResidual, DropoutPlan dropout, boolean add) {
        Working w = working;
        Tensor dBranch = branchGradient(dResidual, site(dropout, 3));
        ops.linearBackwardWeight(gradients.down, gradients.downBias, dBranch, saved.activated, add);
        ops.linearBackwardInput(w.dHidden, dBranch, weights.down, false);
        ops.activationBackward(w.dHiddenProduct, w.dHidden, saved.hidden, model.activation());
        ops.linearBackwardWeight(gradients.up, gradients.upBias, w.dHiddenProduct, saved.normed2, add);
        ops.linearBackwardInput(w.dNormed, w.dHiddenProduct, weights.up, false);
        ops.layerNormBackward(
                dResidual,
                gradients.norm2,
                gradients.norm2Bias,
                w.dNormed,
                saved.residualMid,
                weights.norm2,
                saved.mean2,
                saved.rstd2,
                true);

        dBranch = branchGradient(dResidual, site(dropout, 2));
        ops.linearBackwardWeight(gradients.projection, gradients.projectionBias, dBranch, saved.attended, add);
        ops.linearBackwardInput(w.dNormed, dBranch, weights.projection, false);
        ops.attentionBackward(
                w.dQ,
                w.dK,
                w.dV,
                w.dNormed,
                saved.attended,
                saved.logSumExp,
                saved.q,
                saved.k,
                saved.v,
                null,
                model.heads(),
                attentionDropout(dropout));
        ops.linearBackwardWeight(gradients.qkv, gradients.qkvBias, w.dQkv, saved.normed1, add);
        ops.linearBackwardInput(w.dNormed, w.dQkv, weights.qkv, false);
        ops.layerNormBackward(
                dResidual,
                gradients.norm1,
                gradients.norm1Bias,
                w.dNormed,
                in,
                weights.norm1,
                saved.mean1,
                saved.rstd1,
                true);
    }

    /** Those that are added up, not written by a product; null where the model has none. */
    Stream<Tensor> gradientsOfNorms() {
        return Stream.of(gradients.norm1, gradients.norm1Bias, gradients.norm2, gradients.norm2Bias);
    }

    /** out = residual + dropout(in·weightᵀ + bias). */
    private void addBranch(Tensor out, Tensor residual, Tensor in, Tensor weight, Tensor bias, Dropout dropout) {
        if (dropout.isActive()) {
            ops.linearForward(working.branch, in, weight, bias, false);
            ops.dropout(working.branch, working.branch, dropout);
            ops.add(out, residual, working.branch);
        } else {
            ops.convert(out, residual);
            ops.linearForward(out, in, weight, bias, true);
        }
    }

    /** The gradient of a branch before its dropout, in the dtype of products. */
    private Tensor branchGradient(Tensor dResidual, Dropout dropout) {
        Tensor d = dResidual;
        if (dropout.isActive()) {
            ops.dropout(working.branch, dResidual, dropout);
            d = working.branch;
        }
        if (working.dBranchProduct != null) {
            ops.convert(working.dBranchProduct, d);
            d = working.dBranchProduct;
        }
        return d;
    }

    private Dropout site(DropoutPlan dropout, int place) {
        return dropout.at(3 * layer + place, (long) saved.residualMid.dim(1) * model.width());
    }

    private Dropout attentionDropout(DropoutPlan dropout) {
        long t = saved.residualMid.dim(1);
        return dropout.at(3 * layer + 1, model.heads() * t * t);
    }
}
