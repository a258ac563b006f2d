package pacer.trainer.model;

import java.util.Arrays;
import java.util.List;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Operations;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.AttentionSpec.Positions;
import pacer.trainer.spec.AttentionSpec.Values;
import pacer.trainer.spec.ModelSpec;

/**
 * From the queries, keys and values of a linear layer to those of attention: normalised head by head, turned by their positions, values mixed
 * with value embeddings, as far as the model does so.
 */
final class Heads {
    private final ModelSpec model;
    private final Operations ops;
    private final boolean isFirstOfValues; // whose values the other layers mix in
    private final int source; // of the context's values; -1: none
    private final boolean writesFirst; // to the gradient of the source, in a backward pass
    private final Tensor mix; // of values and source, by one number or two; null where values stay as they are
    private final Tensor dMix;

    /** {@code mix} and {@code dMix} are the layer's learned numbers and their gradient, or null. */
    Heads(ModelSpec model, Operations ops, int layer, Tensor mix, Tensor dMix, Working working) {
        this.model = model;
        this.ops = ops;
        Values values = model.attention().values();
        boolean ofFirst = values == Values.FIRST_LAYER;
        this.isFirstOfValues = ofFirst && layer == 0;
        this.source = ofFirst ? 0 : values.table(layer, model.layers());
        // of the first layer's values -1 is the table, and all layers take them
        this.writesFirst = model.layersOfTable(ofFirst ? -1 : source).max().orElseThrow() == layer;
        boolean learned = mix != null && !isFirstOfValues; // mixed with themselves values stay as they are
        this.mix = learned ? mix : working.valueScale();
        this.dMix = learned ? dMix : working.dValueScale();
    }

    /** Queries, keys and values, or the gradients of them. */
    record Triple(
            Tensor all, // (B, T, 3C)
            Tensor q, // (B, T, C) columns of all, like k and v
            Tensor k, // (B, T, C)
            Tensor v) { // (B, T, C)

        static Triple of(Tensor all) {
            int c = all.columns() / 3;
            return new Triple(all, all.columns("q", 0, c), all.columns("k", c, c), all.columns("v", 2 * c, c));
        }
    }

    /** What the forward pass leaves for the backward pass. */
    record Saved(
            Triple linear, // as the linear layer gave them
            Triple attending, // as attention takes them; the same where they are the same, and without training
            Tensor queryRstd, // (B, T, H); null where they are not normalised
            Tensor keyRstd) { // (B, T, H)

        static Saved allocate(ModelSpec model, Device device, int b, int t) {
            Triple linear = Triple.of(device.allocate("qkv", DType.F32, b, t, 3 * model.width()));
            return new Saved(
                    linear,
                    changes(model)
                            ? Triple.of(device.allocate("attending", DType.F32, b, t, 3 * model.width()))
                            : linear,
                    rstd(model, device, "queries", b, t),
                    rstd(model, device, "keys", b, t));
        }

        /** One scale a head and row, where queries and keys are normalised; else null. */
        static Tensor rstd(ModelSpec model, Device device, String of, int... rows) {
            int[] shape = Arrays.copyOf(rows, rows.length + 1);
            shape[rows.length] = model.heads();
            return model.attention().qkNorm() ? device.allocate("rstd of " + of, DType.F32, shape) : null;
        }
    }

    /** Whether attention takes anything but what the linear layer gives. */
    static boolean changes(ModelSpec model) {
        return model.attention().qkNorm()
                || model.attention().values() != Values.PLAIN
                || model.attention().valueScale() != 1
                || model.attention().positions() != Positions.LEARNED;
    }

    void forward(Saved saved, Context context) {
        turn(saved.attending.q, saved.linear.q, saved.queryRstd, context);
        turn(saved.attending.k, saved.linear.k, saved.keyRstd, context);
        if (isFirstOfValues) {
            ops.convert(context.values().getFirst(), saved.linear.v);
        }
        if (mix != null) {
            ops.mixForward(saved.attending.v, saved.linear.v, source(context.values()), mix);
        } else if (saved.attending.v != saved.linear.v) {
            ops.convert(saved.attending.v, saved.linear.v);
        }
    }

    private Tensor source(List<Tensor> all) {
        return source < 0 || isFirstOfValues ? null : all.get(source);
    }

    private void turn(Tensor out, Tensor in, Tensor rstd, Context context) {
        Tensor now = in;
        if (rstd != null) {
            ops.rmsNormForward(out, rstd, now, model.heads(), (float) model.normEpsilon());
            now = out;
        }
        if (context.rotary() != null) {
            ops.rotaryForward(
                    out, now, context.rotary().cosines(), context.rotary().sines(), context.past(), model.heads());
        } else if (out != now) {
            ops.convert(out, now);
        }
    }

    /** Gradients of what attention took become those of what the linear layer gave, in place. */
    void backward(Triple gradients, Saved saved, Context context) {
        turnBack(gradients.q, saved.linear.q, saved.queryRstd, context);
        turnBack(gradients.k, saved.linear.k, saved.keyRstd, context);
        if (mix != null) {
            ops.mixBackward(
                    gradients.v,
                    source(context.dValues()),
                    dMix,
                    gradients.v,
                    saved.linear.v,
                    source(context.values()),
                    mix,
                    !writesFirst);
        }
        if (isFirstOfValues) {
            ops.add(gradients.v, gradients.v, context.dValues().getFirst());
        }
    }

    private void turnBack(Tensor gradient, Tensor in, Tensor rstd, Context context) {
        if (context.rotary() != null) {
            ops.rotaryBackward(
                    gradient,
                    gradient,
                    context.rotary().cosines(),
                    context.rotary().sines(),
                    model.heads());
        }
        if (rstd != null) {
            ops.rmsNormBackward(gradient, gradient, in, rstd, model.heads(), false);
        }
    }
}
