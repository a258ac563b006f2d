package pacer.trainer.model;

import java.util.Objects;
import java.util.stream.Stream;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Operations;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.ModelSpec;
import pacer.trainer.spec.ModelSpec.Norm;

/**
 * A normalisation over the width of the stream: LayerNorm with its gains, or RMSNorm without.
 *
 * @param gains null for RMSNorm
 * @param gradients null for RMSNorm and without training
 */
record Normalization(Operations ops, float epsilon, Gains gains, Gains gradients, Statistics statistics) {

    static Normalization of(ModelSpec model, Operations ops, Gains gains, Gains gradients, Statistics statistics) {
        return new Normalization(ops, (float) model.normEpsilon(), gains, gradients, statistics);
    }

    /** Parameters of LayerNorm, or the gradients of them. */
    record Gains(
            Tensor weight, // (C)
            Tensor bias) { // (C) or null

        /** Views of the norm {@code name}'s parameters; null when it has none. */
        static Gains of(Parameters p, Tensor flat, String name) {
            Tensor weight = p.in(flat, name + ".weight");
            return weight == null ? null : new Gains(weight, p.in(flat, name + ".bias"));
        }
    }

    /** What the forward pass leaves for the backward pass. */
    record Statistics(
            Tensor mean, // (B, T); null for RMSNorm
            Tensor rstd) { // (B, T)

        static Statistics allocate(ModelSpec model, Device device, String suffix, int... rows) {
            return new Statistics(
                    model.norm() == Norm.RMS_NORM ? null : device.allocate("mean" + suffix, DType.F32, rows),
                    device.allocate("rstd" + suffix, DType.F32, rows));
        }

        /** Of the first {@code rows} alone. */
        Statistics first(int... rows) {
            return new Statistics(mean == null ? null : mean.slice("mean", 0, rows), rstd.slice("rstd", 0, rows));
        }
    }

    /** out (B, T, C) = norm(in). */
    void forward(Tensor out, Tensor in) {
        if (gains == null) {
            ops.rmsNormForward(out, statistics.rstd, in, 1, epsilon);
        } else {
            ops.layerNormForward(out, statistics.mean, statistics.rstd, in, gains.weight, gains.bias, epsilon);
        }
    }

    /** dIn (B, T, C) gets, or with {@code accumulate} is added, the gradient by {@code in}, the input of the forward pass. */
    void backward(Tensor dIn, Tensor dOut, Tensor in, boolean accumulate) {
        if (gains == null) {
            ops.rmsNormBackward(dIn, dOut, in, statistics.rstd, 1, accumulate);
        } else {
            ops.layerNormBackward(
                    dIn,
                    gradients.weight,
                    gradients.bias,
                    dOut,
                    in,
                    gains.weight,
                    statistics.mean,
                    statistics.rstd,
                    accumulate);
        }
    }

    /** Those that are added up, not written by a product. */
    Stream<Tensor> addedTo() {
        return gradients == null
                ? Stream.empty()
                : Stream.of(gradients.weight, gradients.bias).filter(Objects::nonNull);
    }
}
