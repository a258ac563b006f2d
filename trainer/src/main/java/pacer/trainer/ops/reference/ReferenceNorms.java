package pacer.trainer.ops.reference;

import pacer.trainer.ops.Shapes;
import pacer.trainer.ops.Tensor;

/** LayerNorm and RMSNorm. */
interface ReferenceNorms extends ReferenceWork {
    @Override
    default void layerNormForward(
            Tensor out, Tensor mean, Tensor rstd, Tensor in, Tensor weight, Tensor bias, float epsilon) {
        Shapes.layerNormForward(out, mean, rstd, in, weight, bias);
        double[][] x = device().load(in); // (rows, C)
        double[] w = vector(weight);
        double[] b = bias == null ? new double[w.length] : vector(bias);
        double[] m = new double[x.length];
        double[] s = new double[x.length];
        for (int r = 0; r < x.length; r++) {
            for (double value : x[r]) {
                m[r] += value / x[r].length;
            }
            double variance = 0;
            for (double value : x[r]) {
                variance += (value - m[r]) * (value - m[r]) / x[r].length;
            }
            s[r] = 1 / Math.sqrt(variance + epsilon);
            for (int c = 0; c < x[r].length; c++) {
                x[r][c] = (x[r][c] - m[r]) * s[r] * w[c] + b[c];
            }
        }
        device().store(out, x);
        device().store(mean, 0, m);
        device().store(rstd, 0, s);
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
        double[][] dy = device().load(dOut); // (rows, C)
        double[][] x = device().load(in); // (rows, C)
        double[][] dx = target(dIn, accumulate); // (rows, C)
        double[] w = vector(weight);
        double[] dw = vector(dWeight);
        double[] db = dBias == null ? new double[w.length] : vector(dBias);
        double[] m = vector(mean); // (rows)
        double[] s = vector(rstd); // (rows)
        for (int r = 0; r < x.length; r++) {
            int width = x[r].length;
            double[] normalised = new double[width];
            double[] dNormalised = new double[width];
            double average = 0; // of dNormalised
            double projection = 0; // average of dNormalised · normalised
            for (int c = 0; c < width; c++) {
                normalised[c] = (x[r][c] - m[r]) * s[r];
                dNormalised[c] = dy[r][c] * w[c];
                average += dNormalised[c] / width;
                projection += dNormalised[c] * normalised[c] / width;
                dw[c] += dy[r][c] * normalised[c];
                db[c] += dy[r][c];
            }
            for (int c = 0; c < width; c++) {
                dx[r][c] += s[r] * (dNormalised[c] - average - normalised[c] * projection);
            }
        }
        device().store(dIn, dx);
        device().store(dWeight, 0, dw);
        if (dBias != null) {
            device().store(dBias, 0, db);
        }
    }

    @Override
    default void rmsNormForward(Tensor out, Tensor rstd, Tensor in, int heads, float epsilon) {
        Shapes.rmsNormForward(out, rstd, in, heads);
        double[][] x = device().load(in); // (rows, C)
        double[] s = new double[x.length * heads]; // (rows, heads)
        int width = in.columns() / heads;
        for (int r = 0; r < x.length; r++) {
            for (int h = 0; h < heads; h++) {
                double meanSquare = ReferenceWork.dot(x[r], x[r], h * width, width) / width;
                s[r * heads + h] = 1 / Math.sqrt(meanSquare + epsilon);
                for (int c = h * width; c < (h + 1) * width; c++) {
                    x[r][c] *= s[r * heads + h];
                }
            }
        }
        device().store(out, x);
        device().store(rstd, 0, s);
    }

    @Override
    default void rmsNormBackward(Tensor dIn, Tensor dOut, Tensor in, Tensor rstd, int heads, boolean accumulate) {
        Shapes.rmsNormBackward(dIn, dOut, in, rstd, heads);
        double[][] dy = device().load(dOut); // (rows, C)
        double[][] x = device().load(in); // (rows, C)
        double[][] dx = target(dIn, accumulate); // (rows, C)
        double[] s = vector(rstd); // (rows, heads)
        int width = in.columns() / heads;
        for (int r = 0; r < x.length; r++) {
            for (int h = 0; h < heads; h++) {
                double scale = s[r * heads + h];
                double projection =
                        ReferenceWork.dot(dy[r], x[r], h * width, width) * scale / width; // average of dOut · out
                for (int c = h * width; c < (h + 1) * width; c++) {
                    dx[r][c] += scale * (dy[r][c] - x[r][c] * scale * projection);
                }
            }
        }
        device().store(dIn, dx);
    }
}
