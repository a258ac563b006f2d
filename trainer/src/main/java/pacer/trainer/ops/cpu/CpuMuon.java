package pacer.trainer.ops.cpu;

import pacer.trainer.ops.DType;
import pacer.trainer.ops.Shapes;
import pacer.trainer.ops.Tensor;

/** What Muon adds to products. */
interface CpuMuon extends CpuWork {
    @Override
    default void nesterov(Tensor out, Tensor momentum, Tensor gradients, float factor, float gradientScale) {
        Shapes.nesterov(out, momentum, gradients);
        crew().forEachRange(
                        out.size(),
                        SMALL,
                        (member, from, to) -> MuonKernels.nesterov(
                                out.address() + 4 * from,
                                momentum.address() + 4 * from,
                                gradients.address() + 4 * from,
                                factor,
                                gradientScale,
                                to - from));
    }

    @Override
    default void normalize(Tensor out, Tensor in, float epsilon) {
        Shapes.normalize(out, in);
        float factor = (float) (1 / (Math.sqrt(sumOfSquares(in, 0, in.size())) + epsilon));
        scaleInto(out, factor, in, 0, in);
    }

    @Override
    default void combine(Tensor out, float alpha, Tensor a, float beta, Tensor b) {
        Shapes.combine(out, a, b);
        scaleInto(out, alpha, a, beta, b);
    }

    private void scaleInto(Tensor out, float alpha, Tensor a, float beta, Tensor b) {
        boolean half = out.dtype() == DType.BF16;
        crew().forEachRange(out.size(), SMALL, (member, from, to) -> {
            // piece by piece, so that what is converted is in the cache
            for (long i = from; i < to; i += SMALL) {
                int n = (int) Math.min(SMALL, to - i);
                long at = half ? scratch(member).reserve(Scratch.ROW, 4L * SMALL) : out.address() + 4 * i;
                if (beta == 0) {
                    ElementKernels.scale(a.address() + 4 * i, at, alpha, n);
                } else {
                    ElementKernels.combine(at, alpha, a.address() + 4 * i, beta, b.address() + 4 * i, n);
                }
                if (half) {
                    ConversionKernels.toBf16(at, out.address() + 2 * i, n);
                }
            }
        });
    }
}
