package pacer.trainer.ops.reference;

import pacer.trainer.ops.Shapes;
import pacer.trainer.ops.Tensor;

/** Streams mixed by learned numbers. */
interface ReferenceMixes extends ReferenceWork {
    @Override
    default void mixForward(Tensor out, Tensor a, Tensor b, Tensor weights) {
        Shapes.mixForward(out, a, b, weights);
        double[] w = pair(weights);
        double[][] mixed = new double[out.rows()][out.columns()];
        addScaled(mixed, w[0], device().load(a));
        if (b != null) {
            addScaled(mixed, w[1], device().load(b));
        }
        device().store(out, mixed);
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
        double[] w = pair(weights);
        double[] dW = vector(dWeights);
        int last = dW.length - 1;
        double[][] d = device().load(dOut);
        dW[0] += (last == 0 ? -1 : 1) * product(d, device().load(a));
        if (b != null) {
            dW[last] += product(d, device().load(b));
            double[][] second = target(dB, accumulate);
            addScaled(second, w[1], d);
            device().store(dB, second);
        }
        double[][] first = target(dA, false);
        addScaled(first, w[0], d);
        device().store(dA, first);
        device().store(dWeights, 0, dW);
    }

    @Override
    default void skipForward(Tensor out, Tensor in, Tensor skip, Tensor weight) {
        Shapes.skipForward(out, in, skip, weight);
        double[][] sum = device().load(in);
        addScaled(sum, vector(weight)[0], device().load(skip));
        device().store(out, sum);
    }

    @Override
    default void skipBackward(
            Tensor dSkip, Tensor dWeight, Tensor dOut, Tensor skip, Tensor weight, boolean accumulate) {
        Shapes.skipBackward(dSkip, dWeight, dOut, skip, weight);
        double[][] d = device().load(dOut);
        double[] dW = vector(dWeight);
        dW[0] += product(d, device().load(skip));
        double[][] result = target(dSkip, accumulate);
        addScaled(result, vector(weight)[0], d);
        device().store(dSkip, result);
        device().store(dWeight, 0, dW);
    }

    /** Of a and of b. */
    private double[] pair(Tensor weights) {
        double[] w = vector(weights);
        return w.length == 1 ? new double[] {1 - w[0], w[0]} : w;
    }

    private static void addScaled(double[][] to, double scale, double[][] from) {
        for (int i = 0; i < to.length; i++) {
            ReferenceWork.addScaled(to[i], scale, from[i]);
        }
    }

    private static double product(double[][] a, double[][] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += ReferenceWork.dot(a[i], b[i], 0, a[i].length);
        }
        return sum;
    }
}
