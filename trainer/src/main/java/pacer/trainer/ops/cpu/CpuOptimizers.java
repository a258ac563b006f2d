package pacer.trainer.ops.cpu;

import pacer.trainer.ops.Shapes;
import pacer.trainer.ops.Tensor;

/** Sums over gradients, and what they do to weights. */
interface CpuOptimizers extends CpuWork {
    /** Elements whose squares are summed in fp32 before fp64 takes over. */
    int SQUARES = 4096;

    @Override
    default void sum(Tensor out, Tensor[] sources, long from, long to) {
        Shapes.sum(out, sources, from, to);
        crew().forEachRange(to - from, SMALL, (member, start, end) -> {
            // block by block, so that partial sums stay in the cache
            for (long i = from + start; i < from + end; i += SMALL) {
                long n = Math.min(SMALL, from + end - i);
                long target = out.address() + 4 * i;
                long first = sources[0].address() + 4 * i;
                if (sources.length == 1) {
                    if (first != target) {
                        Vectors.copy(first, target, 4 * n);
                    }
                    continue;
                }
                ElementKernels.add(first, sources[1].address() + 4 * i, target, n);
                for (int s = 2; s < sources.length; s++) {
                    ElementKernels.add(target, sources[s].address() + 4 * i, target, n);
                }
            }
        });
    }

    @Override
    default double sumOfSquares(Tensor tensor, long from, long to) {
        Shapes.sumOfSquares(tensor, from, to);
        double[] partial = new double[crew().size()];
        crew().forEachRange(to - from, SQUARES, (member, start, end) -> {
            double sum = 0;
            for (long i = from + start; i < from + end; i += SQUARES) {
                sum += ElementKernels.sumOfSquares(tensor.address() + 4 * i, Math.min(SQUARES, from + end - i));
            }
            partial[member] = sum;
        });
        double total = 0;
        for (double p : partial) {
            total += p;
        }
        return total;
    }

    @Override
    default void adamW(
            Tensor weights,
            Tensor gradients,
            Tensor firstMoment,
            Tensor secondMoment,
            long from,
            long to,
            AdamW settings,
            float learningRate,
            float weightDecay,
            float gradientScale,
            long step) {
        Shapes.adamW(weights, gradients, firstMoment, secondMoment, from, to, step);
        float stepSize = (float) (learningRate / (1 - Math.pow(settings.beta1(), (double) step)));
        float correction2 = (float) (1 / Math.sqrt(1 - Math.pow(settings.beta2(), (double) step)));
        ElementKernels.AdamWFactors factors = new ElementKernels.AdamWFactors(
                settings.beta1(),
                settings.beta2(),
                settings.epsilon(),
                stepSize,
                1 - learningRate * weightDecay,
                correction2,
                gradientScale);
        crew().forEachRange(to - from, SMALL, (member, start, end) -> {
            long offset = 4 * (from + start);
            ElementKernels.adamW(
                    weights.address() + offset,
                    gradients.address() + offset,
                    firstMoment.address() + offset,
                    secondMoment.address() + offset,
                    end - start,
                    factors);
        });
    }
}
