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
    }

    /** Parameters, or the gradients of them. Linear weights are in the dtype of products, the rest in F32. */
    record Weights(
            Tensor norm, // (C)
            Tensor normBias, // (C) or null
            Tensor qkv, // (3C, C)
            Tensor qkvBias, // (3C) or null
            Tensor projection, // (C, C)
            Tensor projectionBias) { // (C) or null

        /** Views of block {@code layer}'s parameters; linear weights in {@code products}, the rest in {@code flat}. */
        static Weights of(Parameters p, int layer, Tensor flat, Tensor products) {
            String h = "transformer.h." + layer + ".";
            return new Weights(
                    p.in(flat, h + "ln_1.weight"),
                    p.in(flat, h + "ln_1.bias"),
                    p.in(products, h + "attn.c_attn.weight"),
                    p.in(flat, h + "attn.c_attn.bias"),
                    p.in(products, h + "attn.c_proj.weight"),
                    p.in(flat, h + "attn.c_proj.bias"));
        }
    }

    /** What the forward pass leaves for the backward pass. P is the dtype of products. */
    record Saved(
            Tensor normed, // (B, T, C) P
            Tensor mean, // (B, T)
            Tensor rstd, // (B, T)
            Tensor qkv, // (B, T, 3C)
            Tensor q, // (B, T, C) columns of qkv, like k and v
            Tensor k, // (B, T, C)
            Tensor v, // (B, T, C)
            Tensor logSumExp, // (B, H, T); null with a cache
            Tensor attended, // (B, T, C) P
            Tensor projected) { // attended, or its last rows where others are of no interest

        static Saved allocate(Device device, ModelSpec model, DType product, int b, int t) {
            int c = model.width();
            return of(
                    device.allocate("normed1", product, b, t, c),
                    device.allocate("mean1", DType.F32, b, t),
                    device.allocate("rstd1", DType.F32, b, t),
                    device.allocate("qkv", DType.F32, b, t, 3 * c),
                    device.allocate("logSumExp", DType.F32, b, model.heads(), t),
                    device.allocate("attended", product, b, t, c));
        }

        static Saved of(Tensor normed, Tensor mean, Tensor rstd, Tensor qkv, Tensor logSumExp, Tensor attended) {
            int c = attended.columns();
            return new Saved(
                    normed,
                    mean,
                    rstd,
                    qkv,
                    qkv.columns("q", 0, c),
                    qkv.columns("k", c, c),
                    qkv.columns("v", 2 * c, c),
                    logSumExp,
                    attended,
                    attended);
        }

        /** The same of which only the last position goes on. One sequence. */
        Saved last() {
            int c = attended.columns();
            Tensor row = attended.slice("projected", attended.size() - c, 1, 1, c);
            return new Saved(normed, mean, rstd, qkv, q, k, v, logSumExp, attended, row);
        }
    }

    /** Keys and values of past positions, and how many there are. */
    record Cache(
            Tensor keys, // (B, H, maxT, D)
            Tensor values, // (B, H, maxT, D)
            Tensor past) {} // (B) I32

    Saved saved() {
        return saved;
    }

    /** out = in + projection(attention(norm(in))), or the last rows of that, where {@code out} is the last rows of {@code in}. */
    void forward(Tensor in, Tensor out, DropoutPlan dropout) {
        float epsilon = (float) model.normEpsilon();
        ops.layerNormForward(saved.normed, saved.mean, saved.rstd, in, weights.norm, weights.normBias, epsilon);
        ops.linearForward(saved.qkv, saved.normed, weights.qkv, weights.qkvBias, false);
        if (cache == null) {
            ops.attentionForward(
                    saved.attended,
                    saved.logSumExp,
                    saved.q,
                    saved.k,
                    saved.v,
                    null,
                    model.heads(),
                    probabilities(dropout));
        } else {
            ops.attentionCached(
                    saved.attended, cache.keys, cache.values, saved.q, saved.k, saved.v, cache.past, model.heads());
        }
        Tensor residual = out.rows() < in.rows() ? out : in;
        working.branch()
                .add(out, residual, saved.projected, weights.projection, weights.projectionBias, output(dropout));
    }

    /** dResidual: in, the gradient of the output; out, of the input {@code in}. */
    void backward(Tensor in, Tensor dResidual, DropoutPlan dropout, boolean add) {
        Tensor dBranch = working.branch().gradient(dResidual, output(dropout));
        ops.linearBackwardWeight(gradients.projection, gradients.projectionBias, dBranch, saved.attended, add);
        ops.linearBackwardInput(working.dNormed(), dBranch, weights.projection, false);
        ops.attentionBackward(
                working.dQ(),
                working.dK(),
                working.dV(),
                working.dNormed(),
                saved.attended,
                saved.logSumExp,
                saved.q,
                saved.k,
                saved.v,
                null,
                model.heads(),
                probabilities(dropout));
        ops.linearBackwardWeight(gradients.qkv, gradients.qkvBias, working.dQkv(), saved.normed, add);
        ops.linearBackwardInput(working.dNormed(), working.dQkv(), weights.qkv, false);
        ops.layerNormBackward(
                dResidual,
                gradients.norm,
                gradients.normBias,
                working.dNormed(),
                in,
                weights.norm,
                saved.mean,
                saved.rstd,
                true);
    }

    private Dropout probabilities(DropoutPlan dropout) {
        long t = saved.attended.dim(1);
        return dropout.at(3 * layer + 1, model.heads() * t * t);
    }

    private Dropout output(DropoutPlan dropout) {
        return dropout.at(3 * layer + 2, (long) saved.attended.dim(1) * model.width());
    }

    /** Those that are added up, not written by a product; null where the model has none. */
    Stream<Tensor> gradientsOfNorm() {
        return Stream.of(gradients.norm, gradients.normBias);
    }
}
