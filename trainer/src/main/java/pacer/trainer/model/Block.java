package pacer.trainer.model;

import java.util.stream.Stream;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Operations;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.ModelSpec;

/**
 * One transformer block, pre-norm. Forward and backward stand side by side; both are written in {@link Operations} alone.
 *
 * @param residualMid the residual stream between the halves, (B, T, C): a tensor of its own where a backward pass needs it, else
 *     the stream itself, or the last rows of it where others are of no interest
 */
record Block(Attention attention, FeedForward feedForward, Tensor residualMid) {

    /** A block's parameters, or the gradients of them. */
    record Weights(Attention.Weights attention, FeedForward.Weights feedForward) {

        /** Views of block {@code layer}'s parameters; linear weights in {@code products}, the rest in {@code flat}. */
        static Weights of(Parameters p, int layer, Tensor flat, Tensor products) {
            return new Weights(
                    Attention.Weights.of(p, layer, flat, products), FeedForward.Weights.of(p, layer, flat, products));
        }
    }

    /** With activations of its own, for batches of (B, T). */
    static Block training(
            ModelSpec model,
            Device device,
            DType product,
            int layer,
            Weights weights,
            Weights gradients,
            Working working,
            int b,
            int t) {
        Operations ops = device.operations();
        Attention.Saved attention = Attention.Saved.allocate(device, model, product, b, t);
        FeedForward.Saved feedForward = FeedForward.Saved.allocate(device, model, product, b, t);
        return new Block(
                new Attention(model, ops, layer, weights.attention, gradients.attention, attention, null, working),
                new FeedForward(model, ops, layer, weights.feedForward, gradients.feedForward, feedForward, working),
                device.allocate("residualMid", DType.F32, b, t, model.width()));
    }

    /** In place on the residual stream, with activations that the caller shares out; {@code cache} may be null. */
    static Block forwardOnly(
            ModelSpec model,
            Operations ops,
            int layer,
            Weights weights,
            Attention.Saved attention,
            Attention.Cache cache,
            FeedForward.Saved feedForward,
            Working working,
            Tensor residualMid) {
        return new Block(
                new Attention(model, ops, layer, weights.attention, null, attention, cache, working),
                new FeedForward(model, ops, layer, weights.feedForward, null, feedForward, working),
                residualMid);
    }

    /** (B, T, 3C). Holds queries, keys and values from a forward pass to its backward pass, and nothing of worth otherwise. */
    Tensor memoryBetweenPasses() {
        return attention.saved().qkv();
    }

    /** out = block(in), the residual stream. */
    void forward(Tensor in, Tensor out, DropoutPlan dropout) {
        attention.forward(in, residualMid, dropout);
        feedForward.forward(residualMid, out, dropout);
    }

    /** dResidual: in, the gradient of the block's output; out, of its input {@code in}. {@code add}: to the gradients that are there. */
    void backward(Tensor in, Tensor dResidual, DropoutPlan dropout, boolean add) {
        feedForward.backward(residualMid, dResidual, dropout, add);
        attention.backward(in, dResidual, dropout, add);
    }

    /** Those that are added up, not written by a product; null where the model has none. */
    Stream<Tensor> gradientsOfNorms() {
        return Stream.concat(attention.gradientsOfNorm(), feedForward.gradientsOfNorm());
    }
}
