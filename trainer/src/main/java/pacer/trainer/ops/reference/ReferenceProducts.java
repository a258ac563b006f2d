package pacer.trainer.ops.reference;

import pacer.trainer.ops.Shapes;
import pacer.trainer.ops.Tensor;

/** Linear layers. */
interface ReferenceProducts extends ReferenceWork {
    @Override
    default void linearForward(Tensor out, Tensor in, Tensor weight, Tensor bias, boolean accumulate) {
        Shapes.linearForward(out, in, weight, bias);
        double[][] x = device().load(in); // (rows, K)
        double[][] w = device().load(weight); // (N, K)
        double[] b = bias == null ? new double[w.length] : vector(bias);
        double[][] y = target(out, accumulate); // (rows, N)
        for (int r = 0; r < x.length; r++) {
            for (int n = 0; n < w.length; n++) {
                y[r][n] += ReferenceWork.dot(x[r], w[n], 0, w[n].length) + b[n];
            }
        }
        device().store(out, y);
    }

    @Override
    default void linearBackwardInput(Tensor dIn, Tensor dOut, Tensor weight, boolean accumulate) {
        Shapes.linearBackwardInput(dIn, dOut, weight);
        double[][] dy = device().load(dOut); // (rows, N)
        double[][] w = device().load(weight); // (N, K)
        double[][] dx = target(dIn, accumulate); // (rows, K)
        for (int r = 0; r < dy.length; r++) {
            for (int n = 0; n < w.length; n++) {
                ReferenceWork.addScaled(dx[r], dy[r][n], w[n]);
            }
        }
        device().store(dIn, dx);
    }

    @Override
    default void linearBackwardWeight(Tensor dWeight, Tensor dBias, Tensor dOut, Tensor in, boolean accumulate) {
        Shapes.linearBackwardWeight(dWeight, dBias, dOut, in);
        double[][] dy = device().load(dOut); // (rows, N)
        double[][] x = device().load(in); // (rows, K)
        double[][] dw = accumulate ? device().load(dWeight) : new double[dWeight.rows()][dWeight.columns()]; // (N, K)
        for (int r = 0; r < x.length; r++) {
            for (int n = 0; n < dw.length; n++) {
                ReferenceWork.addScaled(dw[n], dy[r][n], x[r]);
            }
        }
        device().store(dWeight, dw);
        if (dBias != null) {
            double[] db = accumulate ? vector(dBias) : new double[dBias.columns()];
            for (double[] row : dy) {
                ReferenceWork.addScaled(db, 1, row);
            }
            device().store(dBias, 0, db);
        }
    }
}
