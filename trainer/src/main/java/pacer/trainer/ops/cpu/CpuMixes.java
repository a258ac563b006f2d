package pacer.trainer.ops.cpu;

import pacer.trainer.ops.Shapes;
import pacer.trainer.ops.Tensor;

/** Streams mixed by learned numbers. */
interface CpuMixes extends CpuWork {
    @Override
    default void mixForward(Tensor out, Tensor a, Tensor b, Tensor weights) {
        Shapes.mixForward(out, a, b, weights);
        float first = first(weights);
        float second = second(weights);
        int n = out.columns();
        crew().forEachRange(out.rows(), CpuWork.grain(n), (member, from, to) -> {
            for (long i = from; i < to; i++) {
                if (b == null) {
                    ElementKernels.scale(a.rowAddress(i), out.rowAddress(i), first, n);
                } else {
                    ElementKernels.combine(out.rowAddress(i), first, a.rowAddress(i), second, b.rowAddress(i), n);
                }
            }
        });
    }

    @Override
    default void mixBackward(
            Tensor dA,
            Tensor dB,
            Tensor dWeights,
            Tensor dOut,
            Tensor a,
            Tensor b,
            Tensor weights,
            boolean accumulate) {
        Shapes.mixBackward(dA, dB, dWeights, dOut, a, b, weights);
        float first = first(weights);
        float second = second(weights);
        int n = dOut.columns();
        double[] ofFirst = new double[crew().size()];
        double[] ofSecond = new double[crew().size()];
        crew().forEachRange(dOut.rows(), CpuWork.grain(n), (member, from, to) -> {
            for (long i = from; i < to; i++) {
                long d = dOut.rowAddress(i);
                ofFirst[member] += ElementKernels.dot(d, a.rowAddress(i), n);
                if (b != null) {
                    ofSecond[member] += ElementKernels.dot(d, b.rowAddress(i), n);
                    spread(dB.rowAddress(i), second, d, n, accumulate);
                }
                ElementKernels.scale(d, dA.rowAddress(i), first, n); // the last, as it may be dOut
            }
        });
        if (weights.size() == 1) {
            for (int member = 0; member < ofFirst.length; member++) {
                ofSecond[member] -= ofFirst[member];
            }
            add(dWeights, 0, ofSecond);
        } else {
            add(dWeights, 0, ofFirst);
            add(dWeights, 1, ofSecond);
        }
    }

    private static float first(Tensor weights) {
        float number = Vectors.getFloat(weights.address());
        return weights.size() == 1 ? 1 - number : number;
    }

    private static float second(Tensor weights) {
        return Vectors.getFloat(weights.address() + (weights.size() == 1 ? 0 : 4));
    }

    @Override
    default void skipForward(Tensor out, Tensor in, Tensor skip, Tensor weight) {
        Shapes.skipForward(out, in, skip, weight);
        float factor = Vectors.getFloat(weight.address());
        int n = out.columns();
        crew().forEachRange(out.rows(), CpuWork.grain(n), (member, from, to) -> {
            for (long i = from; i < to; i++) {
                ElementKernels.combine(out.rowAddress(i), 1, in.rowAddress(i), factor, skip.rowAddress(i), n);
            }
        });
    }

    @Override
    default void skipBackward(
            Tensor dSkip, Tensor dWeight, Tensor dOut, Tensor skip, Tensor weight, boolean accumulate) {
        Shapes.skipBackward(dSkip, dWeight, dOut, skip, weight);
        float factor = Vectors.getFloat(weight.address());
        int n = dOut.columns();
        double[] sums = new double[crew().size()];
        crew().forEachRange(dOut.rows(), CpuWork.grain(n), (member, from, to) -> {
            for (long i = from; i < to; i++) {
                sums[member] += ElementKernels.dot(dOut.rowAddress(i), skip.rowAddress(i), n);
                spread(dSkip.rowAddress(i), factor, dOut.rowAddress(i), n, accumulate);
            }
        });
        add(dWeight, 0, sums);
    }

    private static void spread(long to, float factor, long from, int n, boolean accumulate) {
        if (accumulate) {
            ElementKernels.combine(to, 1, to, factor, from, n);
        } else {
            ElementKernels.scale(from, to, factor, n);
        }
    }

    private static void add(Tensor sums, int at, double[] parts) {
        double sum = Vectors.getFloat(sums.address() + 4L * at);
        for (double part : parts) {
            sum += part;
        }
        Vectors.putFloat(sums.address() + 4L * at, (float) sum);
    }
}
