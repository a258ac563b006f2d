package pacer.trainer.ops.cpu;

import static pacer.trainer.ops.cpu.Vectors.putFloat;

import pacer.trainer.ops.DType;
import pacer.trainer.ops.Shapes;
import pacer.trainer.ops.Tensor;

/** LayerNorm and RMSNorm. */
interface CpuNorms extends CpuWork {
    @Override
    default void layerNormForward(
            Tensor out, Tensor mean, Tensor rstd, Tensor in, Tensor weight, Tensor bias, float epsilon) {
        Shapes.layerNormForward(out, mean, rstd, in, weight, bias);
        int n = in.columns();
        long b = bias == null ? 0 : bias.address();
        boolean half = out.dtype() == DType.BF16;
        crew().forEachRange(in.rows(), 1, (member, from, to) -> {
            long work = half ? scratch(member).reserve(Scratch.ROW, 4L * n) : 0;
            for (long i = from; i < to; i++) {
                long x = in.rowAddress(i);
                float mu = NormKernels.mean(x, n);
                float r = NormKernels.reciprocalDeviation(x, n, mu, epsilon);
                putFloat(mean.address() + 4 * i, mu);
                putFloat(rstd.address() + 4 * i, r);
                long to32 = half ? work : out.rowAddress(i);
                NormKernels.apply(x, weight.address(), b, to32, n, mu, r);
                if (half) {
                    ConversionKernels.toBf16(work, out.rowAddress(i), n);
                }
            }
        });
    }

    @Override
    default void layerNormBackward(
            Tensor dIn,
            Tensor dWeight,
            Tensor dBias,
            Tensor dOut,
            Tensor in,
            Tensor weight,
            Tensor mean,
            Tensor rstd,
            boolean accumulate) {
        Shapes.layerNormBackward(dIn, dWeight, dBias, dOut, in, weight, mean, rstd);
        int n = in.columns();
        boolean alone = crew().size() == 1;
        crew().forEachRange(in.rows(), 1, (member, from, to) -> {
            long dW = dWeight.address();
            long dB = dBias == null ? 0 : dBias.address();
            if (!alone) {
                dW = scratch(member).reserve(Scratch.ROW, 8L * n);
                Vectors.zero(dW, 8L * n);
                dB = dBias == null ? 0 : dW + 4L * n;
            }
            for (long i = from; i < to; i++) {
                long dY = dOut.rowAddress(i);
                long x = in.rowAddress(i);
                float m = Vectors.getFloat(mean.address() + 4 * i);
                float r = Vectors.getFloat(rstd.address() + 4 * i);
                NormKernels.addParameterGradients(dY, x, dW, dB, n, m, r);
                NormKernels.backwardInput(dY, x, weight.address(), dIn.rowAddress(i), n, m, r, accumulate);
            }
        });
        if (!alone) {
            mergeColumnSums(in.rows(), n, dWeight, dBias);
        }
    }

    /** Adds the members' column sums, left in their ROW slots, in the order of members. */
    private void mergeColumnSums(long rows, int n, Tensor dWeight, Tensor dBias) {
        for (int m = 0; m < crew().size(); m++) {
            if (crew().bound(rows, 1, m) < crew().bound(rows, 1, m + 1)) {
                long sums = scratch(m).reserve(Scratch.ROW, 8L * n);
                if (dWeight != null) {
                    ElementKernels.add(dWeight.address(), sums, dWeight.address(), n);
                }
                if (dBias != null) {
                    ElementKernels.add(dBias.address(), sums + 4L * n, dBias.address(), n);
                }
            }
        }
    }

    @Override
    default void rmsNormForward(Tensor out, Tensor rstd, Tensor in, int heads, float epsilon) {
        Shapes.rmsNormForward(out, rstd, in, heads);
        int n = in.columns() / heads;
        boolean half = out.dtype() == DType.BF16;
        crew().forEachRange(in.rows(), 1, (member, from, to) -> {
            long work = half ? scratch(member).reserve(Scratch.ROW, 4L * n) : 0;
            for (long i = from; i < to; i++) {
                for (int h = 0; h < heads; h++) {
                    long x = CpuWork.at(in, i, h * n);
                    float r = NormKernels.reciprocalRootMeanSquare(x, n, epsilon);
                    putFloat(rstd.address() + 4 * (i * heads + h), r); // whatever its rows are
                    ElementKernels.scale(x, half ? work : CpuWork.at(out, i, h * n), r, n);
                    if (half) {
                        ConversionKernels.toBf16(work, CpuWork.at(out, i, h * n), n);
                    }
                }
            }
        });
    }

    @Override
    default void rmsNormBackward(Tensor dIn, Tensor dOut, Tensor in, Tensor rstd, int heads, boolean accumulate) {
        Shapes.rmsNormBackward(dIn, dOut, in, rstd, heads);
        int n = in.columns() / heads;
        crew().forEachRange(in.rows(), 1, (member, from, to) -> {
            for (long i = from; i < to; i++) {
                for (int h = 0; h < heads; h++) {
                    int column = h * n;
                    float r = Vectors.getFloat(rstd.address() + 4 * (i * heads + h));
                    NormKernels.rmsBackward(
                            CpuWork.at(dOut, i, column),
                            CpuWork.at(in, i, column),
                            CpuWork.at(dIn, i, column),
                            n,
                            r,
                            accumulate);
                }
            }
        });
    }
}
