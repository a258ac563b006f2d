package pacer.trainer.model;

import java.util.stream.Stream;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Operations;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.ModelSpec;

/**
 * One transformer block, pre-norm. Forward and backward stand side by side; both are written in {@link Operations} alone.
 */
final class Block {
    private final Operations ops;
    private final Attention attention; // null where the model leaves it out
    private final FeedForward feedForward;
    private final Weights weights;
    private final Weights gradients;
    private final Residual residual;
    private final boolean writesFirst; // to the gradient of the embedding, in a backward pass

    private Block(
            Operations ops,
            Attention attention,
            FeedForward feedForward,
            Weights weights,
            Weights gradients,
            Residual residual,
            boolean writesFirst) {
        this.ops = ops;
        this.attention = attention;
        this.feedForward = feedForward;
        this.weights = weights;
        this.gradients = gradients;
        this.residual = residual;
        this.writesFirst = writesFirst;
    }

    /** A block's parameters, or the gradients of them. */
    record Weights(
            Attention.Weights attention, // null where the model leaves it out
            FeedForward.Weights feedForward,
            Tensor streamMix) { // (2), of the stream and the embedding; null where they are not mixed

        /** Views of block {@code layer}'s parameters; linear weights in {@code products}, the rest in {@code flat}. Null where that is. */
        static Weights of(Names names, Parameters p, int layer, Tensor flat, Tensor products) {
            return flat == null
                    ? null
                    : new Weights(
                            Attention.Weights.of(names, p, layer, flat, products),
                            FeedForward.Weights.of(names, p, layer, flat, products),
                            p.in(flat, names.streamMix(layer)));
        }
    }

    /** The residual stream on its way through a block. Where a backward pass needs it each is a tensor of its own. */
    record Residual(
            Tensor in, // (B, T, C)
            Tensor mixed, // with the embedding; in itself where it is not mixed
            Tensor mid, // between the halves; mixed itself without attention
            Tensor out) {

        /** With tensors of its own between {@code in} and {@code out}. */
        static Residual training(ModelSpec model, Device device, int layer, Tensor in, Tensor out) {
            Tensor mixed = model.stream().embedding() ? device.allocate("mixed", DType.F32, in.shape()) : in;
            Tensor mid = model.hasAttention(layer) ? device.allocate("residualMid", DType.F32, in.shape()) : mixed;
            return new Residual(in, mixed, mid, out);
        }

        /** In place on {@code stream}, from {@code in} on, which may be the same; {@code end} is the stream, or its last rows. */
        static Residual forwardOnly(ModelSpec model, int layer, Tensor in, Tensor stream, Tensor end) {
            Tensor mixed = model.stream().embedding() ? stream : in;
            Tensor rest = end.rows() < in.rows() ? mixed.slice("last", mixed.size() - end.size(), end.shape()) : mixed;
            return new Residual(in, mixed, model.hasAttention(layer) ? end : rest, end);
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
            Residual residual) {
        Operations ops = device.operations();
        int b = residual.in.dim(0);
        int t = residual.in.dim(1);
        Attention attention = null;
        if (model.hasAttention(layer)) {
            Attention.Saved saved = Attention.Saved.allocate(device, model, working, product, b, t);
            attention = new Attention(model, ops, layer, weights.attention, gradients.attention, saved, null, working);
        }
        FeedForward.Saved saved = FeedForward.Saved.allocate(device, model, working, product, b, t);
        return new Block(
                ops,
                attention,
                new FeedForward(model, ops, layer, weights.feedForward, gradients.feedForward, saved, working),
                weights,
                gradients,
                residual,
                layer == model.layers() - 1);
    }

    /** With activations that the caller shares out; {@code cache} may be null. */
    static Block forwardOnly(
            ModelSpec model,
            Operations ops,
            int layer,
            Weights weights,
            Attention.Saved attention,
            Attention.Cache cache,
            FeedForward.Saved feedForward,
            Working working,
            Residual residual) {
        return new Block(
                ops,
                model.hasAttention(layer)
                        ? new Attention(model, ops, layer, weights.attention, null, attention, cache, working)
                        : null,
                new FeedForward(model, ops, layer, weights.feedForward, null, feedForward, working),
                weights,
                null,
                residual,
                layer == model.layers() - 1);
    }

    Residual residual() {
        return residual;
    }

    /** (B, T, 3C). Holds queries, keys and values from a forward pass to its backward pass, and nothing of worth otherwise. Null without attention. */
    Tensor memoryBetweenPasses() {
        return attention == null ? null : attention.saved().heads().linear().all();
    }

    /** The stream, from its in to its out. */
    void forward(Context context, DropoutPlan dropout) {
        if (weights.streamMix != null) {
            ops.mixForward(residual.mixed, residual.in, context.embedding(), weights.streamMix);
        }
        if (attention != null) {
            attention.forward(residual.mixed, residual.mid, context, dropout);
        }
        feedForward.forward(residual.mid, residual.out, dropout);
    }

    /** dResidual: in, the gradient of the block's output; out, of its input. {@code add}: to the gradients that are there. */
    void backward(Tensor dResidual, Context context, DropoutPlan dropout, boolean add) {
        feedForward.backward(residual.mid, dResidual, dropout, add);
        if (attention != null) {
            attention.backward(residual.mixed, dResidual, context, dropout, add);
        }
        if (weights.streamMix != null) {
            ops.mixBackward(
                    dResidual,
                    context.dEmbedding(),
                    gradients.streamMix,
                    dResidual,
                    residual.in,
                    context.embedding(),
                    weights.streamMix,
                    !writesFirst);
        }
    }

    /** Gradients that are added up, not written by a product. */
    Stream<Tensor> addedTo() {
        Stream<Tensor> halves =
                Stream.concat(attention == null ? Stream.empty() : attention.addedTo(), feedForward.addedTo());
        return Stream.concat(halves, Stream.ofNullable(gradients.streamMix));
    }
}
