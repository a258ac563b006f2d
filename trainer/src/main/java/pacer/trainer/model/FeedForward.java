package pacer.trainer.model;

import java.util.stream.Stream;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Dropout;
import pacer.trainer.ops.Operations;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.ModelSpec;

/** The second half of a block: residual += down(activation(up(norm(residual)))). */
final class FeedForward {
    private final ModelSpec model;
    private final Operations ops;
    private final int layer;
    private final Weights weights;
    private final Weights gradients;
    private final Saved saved;
    private final Normalization norm;
    private final Working working;

    /** {@code gradients} are null without training. */
    FeedForward(
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
        this.norm =
                Normalization.of(model, ops, weights.norm, gradients == null ? null : gradients.norm, saved.statistics);
    }

    /** Parameters, or the gradients of them. Linear weights are in the dtype of products, the rest in F32. */
    record Weights(
            Normalization.Gains norm, // null for RMSNorm
            Tensor up, // (4C, C)
            Tensor upBias, // (4C) or null
            Tensor down, // (C, 4C)
            Tensor downBias) { // (C) or null

        /** Views of block {@code layer}'s parameters; linear weights in {@code products}, the rest in {@code flat}. */
        static Weights of(Names names, Parameters p, int layer, Tensor flat, Tensor products) {
            if (flat == null) {
                return null;
            }
            return new Weights(
                    Normalization.Gains.of(p, flat, names.norm2(layer)),
                    p.in(products, names.up(layer) + ".weight"),
                    p.in(flat, names.up(layer) + ".bias"),
                    p.in(products, names.down(layer) + ".weight"),
                    p.in(flat, names.down(layer) + ".bias"));
        }
    }

    /** What the forward pass leaves for the backward pass. P is the dtype of products. */
    record Saved(
            Tensor normed, // (B, T, C) P
            Normalization.Statistics statistics,
            Tensor hidden, // (B, T, 4C)
            Tensor activated) { // (B, T, 4C) P

        /** With all of it kept but what {@code working} has for all blocks, which is computed anew. */
        static Saved allocate(Device device, ModelSpec model, Working working, DType product, int b, int t) {
            int c = model.width();
            return new Saved(
                    working.normed() != null ? working.normed() : device.allocate("normed2", product, b, t, c),
                    Normalization.Statistics.allocate(model, device, "2", b, t),
                    device.allocate("hidden", DType.F32, b, t, 4 * c),
                    working.activated() != null
                            ? working.activated()
                            : device.allocate("activated", product, b, t, 4 * c));
        }
    }

    /** out = in + down(activation(up(norm(in)))). */
    void forward(Tensor in, Tensor out, DropoutPlan dropout) {
        norm.forward(saved.normed, in);
        ops.linearForward(saved.hidden, saved.normed, weights.up, weights.upBias, false);
        Tensor hidden = saved.hidden;
        if (saved.activated == working.activated()) { // whose input is wanted once more, and is lost to its derivative
            hidden = working.dHidden();
            ops.convert(hidden, saved.hidden);
        }
        ops.activationForward(saved.activated, hidden, model.activation());
        working.branch().add(out, in, saved.activated, weights.down, weights.downBias, output(dropout));
    }

    /** dResidual: in, the gradient of the output; out, of the input {@code in}. */
    void backward(Tensor in, Tensor dResidual, DropoutPlan dropout, boolean add) {
        Tensor dBranch = working.branch().gradient(dResidual, output(dropout));
        if (saved.activated == working.activated()) {
            ops.activationForward(saved.activated, saved.hidden, model.activation());
        }
        ops.linearBackwardWeight(gradients.down, gradients.downBias, dBranch, saved.activated, add);
        ops.linearBackwardInput(working.dHidden(), dBranch, weights.down, false);
        ops.activationBackward(working.dHiddenProduct(), working.dHidden(), saved.hidden, model.activation());
        if (saved.normed == working.normed()) {
            norm.forward(saved.normed, in);
        }
        ops.linearBackwardWeight(gradients.up, gradients.upBias, working.dHiddenProduct(), saved.normed, add);
        ops.linearBackwardInput(working.dNormed(), working.dHiddenProduct(), weights.up, false);
        norm.backward(dResidual, working.dNormed(), in, true);
    }

    private Dropout output(DropoutPlan dropout) {
        return dropout.at(3 * layer + 3, (long) saved.normed.dim(1) * model.width());
    }

    /** Gradients that are added up, not written by a product. */
    Stream<Tensor> addedTo() {
        return norm.addedTo();
    }
}
