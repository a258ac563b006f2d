package pacer.trainer.ops.cpu;

import pacer.trainer.ops.DType;
import pacer.trainer.ops.Shapes;
import pacer.trainer.ops.Tensor;

/** Linear layers. */
interface CpuProducts extends CpuWork {
    Gemm gemm();

    @Override
    default void linearForward(Tensor out, Tensor in, Tensor weight, Tensor bias, boolean accumulate) {
        Shapes.linearForward(out, in, weight, bias);
        if (bias != null) {
            int n = out.columns();
            crew().forEachRange(out.rows(), 1, (member, from, to) -> {
                for (long i = from; i < to; i++) {
                    if (accumulate) {
                        ElementKernels.add(out.rowAddress(i), bias.address(), out.rowAddress(i), n);
                    } else {
                        Vectors.copy(bias.address(), out.rowAddress(i), 4L * n);
                    }
                }
            });
        }
        product(false, true, out.rows(), weight.dim(0), weight.columns(), in, weight, accumulate || bias != null, out);
    }

    @Override
    default void linearBackwardInput(Tensor dIn, Tensor dOut, Tensor weight, boolean accumulate) {
        Shapes.linearBackwardInput(dIn, dOut, weight);
        product(false, false, dIn.rows(), weight.columns(), weight.dim(0), dOut, weight, accumulate, dIn);
    }

    @Override
    default void linearBackwardWeight(Tensor dWeight, Tensor dBias, Tensor dOut, Tensor in, boolean accumulate) {
        Shapes.linearBackwardWeight(dWeight, dBias, dOut, in);
        product(true, false, dWeight.dim(0), dWeight.columns(), in.rows(), dOut, in, accumulate, dWeight);
        if (dBias != null) {
            columnSums(dBias, dOut, accumulate);
        }
    }

    private void columnSums(Tensor sums, Tensor rows, boolean accumulate) {
        int n = rows.columns();
        boolean half = rows.dtype() == DType.BF16;
        // members take columns, so that each sum runs in one order
        crew().forEachRange(n, 64, (member, from, to) -> {
            int width = (int) (to - from);
            long work = half ? scratch(member).reserve(Scratch.ROW, 4L * width) : 0;
            long sum = sums.address() + 4 * from;
            if (!accumulate) {
                Vectors.zero(sum, 4L * width);
            }
            for (long i = 0; i < rows.rows(); i++) {
                long row = rows.rowAddress(i) + from * rows.dtype().bytes();
                if (half) {
                    ConversionKernels.fromBf16(row, work, width);
                }
                ElementKernels.add(sum, half ? work : row, sum, width);
            }
        });
    }

    /** c (m, n) (+)= op(a)·op(b), divided over the crew along the longer side of c. */
    private void product(boolean ta, boolean tb, int m, int n, int k, Tensor a, Tensor b, boolean add, Tensor c) {
        boolean half = a.dtype() == DType.BF16;
        int bytes = a.dtype().bytes();
        boolean byRows = m >= n;
        crew().forEachRange(byRows ? m : n, 16, (member, from, to) -> {
            int count = (int) (to - from);
            long aAt = a.address();
            long bAt = b.address();
            long cAt = c.address();
            if (byRows) {
                aAt += from * bytes * (ta ? 1 : a.rowStride());
                cAt += from * 4 * c.rowStride();
            } else {
                bAt += from * bytes * (tb ? b.rowStride() : 1);
                cAt += from * 4;
            }
            int rows = byRows ? count : m;
            int columns = byRows ? n : count;
            Scratch s = scratch(member);
            if (half) {
                gemm().bf16(
                                ta,
                                tb,
                                rows,
                                columns,
                                k,
                                aAt,
                                a.rowStride(),
                                bAt,
                                b.rowStride(),
                                add,
                                cAt,
                                c.rowStride(),
                                s);
            } else {
                gemm().f32(
                                ta,
                                tb,
                                rows,
                                columns,
                                k,
                                aAt,
                                a.rowStride(),
                                bAt,
                                b.rowStride(),
                                add,
                                cAt,
                                c.rowStride(),
                                s);
            }
        });
    }
}
