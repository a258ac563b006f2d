package pacer.trainer.model;

import java.util.stream.Stream;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Dropout;
import pacer.trainer.ops.Operations;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.ModelSpec;

/** The first half of a block: residual += projection(attention(norm(residual))). */
final class Attention {
    private final ModelSpec model;
    private final Operations ops;
    private final int layer;
    private final Weights weights;
    private final Weights gradients;
    private final Saved saved;
    private final Normalization norm;
    private final Heads heads; // null where attention takes what the linear layer gives
    private final Cache cache;
    private final Working working;

    /** {@code gradients} are null without training; {@code cache} is null where all positions are at hand. */
    Attention(
            ModelSpec model,
            Operations ops,
            int layer,
            Weights weights,
            Weights gradients,
            Saved saved,
            Cache cache,
            Working working) {
        this.model = model;
        this.ops = ops;
        this.layer = layer;
        this.weights = weights;
        this.gradients = gradients;
        this.saved = saved;
        this.cache = cache;
        this.working = working;
        this.norm =
                Normalization.of(model, ops, weights.norm, gradients == null ? null : gradients.norm, saved.statistics);
        this.heads = Heads.changes(model)
                ? new Heads(model, ops, layer, weights.valueMix, gradients == null ? null : gradients.valueMix, working)
                : null;
    }

    /** Parameters, or the gradients of them. Linear weights are in the dtype of products, the rest in F32. */
    record Weights(
            Normalization.Gains norm, // null for RMSNorm
            Tensor qkv, // (3C, C)
            Tensor qkvBias, // (3C) or null
            Tensor valueMix, // (2), (1) or null
            Tensor projection, // (C, C)
            Tensor projectionBias) { // (C) or null

        /** Views of block {@code layer}'s parameters; linear weights in {@code products}, the rest in {@code flat}. Null without attention. */
        static Weights of(Names names, Parameters p, int layer, Tensor flat, Tensor products) {
            if (flat == null || !names.model().hasAttention(layer)) {
                return null;
            }
            return new Weights(
                    Normalization.Gains.of(p, flat, names.norm1(layer)),
                    p.in(products, names.queriesKeysValues(layer).keySet(), ".weight"),
                    p.in(flat, names.queriesKeysValues(layer).keySet(), ".bias"),
                    p.in(flat, names.valueMix(layer)),
                    p.in(products, names.attentionProjection(layer) + ".weight"),
                    p.in(flat, names.attentionProjection(layer) + ".bias"));
        }
    }

    /** What the forward pass leaves for the backward pass. P is the dtype of products. */
    record Saved(
            Tensor normed, // (B, T, C) P
            Normalization.Statistics statistics,
            Heads.Saved heads,
            Tensor logSumExp, // (B, H, T); null with a cache
            Tensor attended, // (B, T, C) P
            Tensor projected) { // attended, or its last rows where others are of no interest

        /** With all of it kept but what {@code working} has for all blocks, which is computed anew. */
        static Saved allocate(Device device, ModelSpec model, Working working, DType product, int b, int t) {
            int c = model.width();
            Tensor attended = device.allocate("attended", product, b, t, c);
            return new Saved(
                    working.normed() != null ? working.normed() : device.allocate("normed1", product, b, t, c),
                    Normalization.Statistics.allocate(model, device, "1", b, t),
                    Heads.Saved.allocate(model, device, b, t),
                    device.allocate("logSumExp", DType.F32, b, model.heads(), t),
                    attended,
                    attended);
        }

        /** The same of which only the last position goes on. One sequence. */
        Saved last() {
            int c = attended.columns();
            Tensor row = attended.slice("projected", attended.size() - c, 1, 1, c);
            return new Saved(normed, statistics, heads, logSumExp, attended, row);
        }
    }

    /** Keys and values of past positions. */
    record Cache(
            Tensor keys, // (B, H, maxT, D)
            Tensor values) { // (B, H, maxT, D)

        /** Those of the first {@code b} sequences. */
        Cache first(int b) {
            return new Cache(first(keys, b), first(values, b));
        }

        private static Tensor first(Tensor all, int b) {
            return b == all.dim(0) ? all : all.slice(all.name(), 0, b, all.dim(1), all.dim(2), all.dim(3));
        }
    }

    Saved saved() {
        return saved;
    }

    /** out = in + projection(attention(norm(in))), or the last rows of that, where {@code out} is the last rows of {@code in}. */
    void forward(Tensor in, Tensor out, Context context, DropoutPlan dropout) {
        norm.forward(saved.normed, in);
        Heads.Triple linear = saved.heads.linear();
        ops.linearForward(linear.all(), saved.normed, weights.qkv, weights.qkvBias, false);
        if (heads != null) {
            heads.forward(saved.heads, context);
        }
        Heads.Triple x = saved.heads.attending();
        if (cache == null) {
            ops.attentionForward(
                    saved.attended,
                    saved.logSumExp,
                    x.q(),
                    x.k(),
                    x.v(),
                    context.firstKey(),
                    model.heads(),
                    probabilities(dropout));
        } else {
            ops.attentionCached(
                    saved.attended,
                    cache.keys,
                    cache.values,
                    x.q(),
                    x.k(),
                    x.v(),
                    context.past(),
                    context.firstKey(),
                    model.heads());
        }
        Tensor residual = out.rows() < in.rows() ? out : in;
        working.branch()
                .add(out, residual, saved.projected, weights.projection, weights.projectionBias, output(dropout));
    }

    /** dResidual: in, the gradient of the output; out, of the input {@code in}. */
    void backward(Tensor in, Tensor dResidual, Context context, DropoutPlan dropout, boolean add) {
        Tensor dBranch = working.branch().gradient(dResidual, output(dropout));
        ops.linearBackwardWeight(gradients.projection, gradients.projectionBias, dBranch, saved.attended, add);
        ops.linearBackwardInput(working.dNormed(), dBranch, weights.projection, false);
        Heads.Triple x = saved.heads.attending();
        Heads.Triple dx = working.dAttending();
        ops.attentionBackward(
                dx.q(),
                dx.k(),
                dx.v(),
                working.dNormed(),
                saved.attended,
                saved.logSumExp,
                x.q(),
                x.k(),
                x.v(),
                context.firstKey(),
                model.heads(),
                probabilities(dropout));
        if (heads != null) {
            heads.backward(dx, saved.heads, context);
        }
        if (working.dQkv() != dx.all()) {
            ops.convert(working.dQkv(), dx.all());
        }
        if (saved.normed == working.normed()) {
            norm.forward(saved.normed, in);
        }
        ops.linearBackwardWeight(gradients.qkv, gradients.qkvBias, working.dQkv(), saved.normed, add);
        ops.linearBackwardInput(working.dNormed(), working.dQkv(), weights.qkv, false);
        norm.backward(dResidual, working.dNormed(), in, true);
    }

    private Dropout probabilities(DropoutPlan dropout) {
        long t = saved.attended.dim(1);
        return dropout.at(3 * layer + 1, model.heads() * t * t);
    }

    private Dropout output(DropoutPlan dropout) {
        return dropout.at(3 * layer + 2, (long) saved.attended.dim(1) * model.width());
    }

    /** Gradients that are added up, not written by a product. */
    Stream<Tensor> addedTo() {
        return Stream.concat(norm.addedTo(), Stream.ofNullable(gradients.valueMix));
    }
}
