package pacer.trainer.ops.reference;

import pacer.trainer.ops.Shapes;
import pacer.trainer.ops.Tensor;

/** Update rules of matrices that keep squared gradients by rows and columns only. */
interface ReferenceFactored extends ReferenceWork {
    @Override
    default void stripedAdamW(
            Tensor weights,
            Tensor gradients,
            Tensor firstMoment,
            Tensor rowMoment,
            Tensor columnMoment,
            AdamW settings,
            float learningRate,
            float weightDecay,
            float gradientScale,
            long step) {
        Shapes.stripedAdamW(weights, gradients, firstMoment, rowMoment, columnMoment, step);
        double[][] w = device().load(weights);
        double[][] g = scaled(device().load(gradients), gradientScale);
        double[][] m = device().load(firstMoment);
        double[] row = vector(rowMoment);
        double[] column = vector(columnMoment);
        average(row, column, g, settings.beta2(), 0);
        double corrected = 1 / (1 - Math.pow(settings.beta2(), (double) step));
        double mu = 0;
        for (double r : row) {
            mu += r * corrected / (row.length + column.length);
        }
        for (double c : column) {
            mu += c * corrected / (row.length + column.length);
        }
        double epsilon = settings.epsilon();
        for (int i = 0; i < row.length; i++) {
            for (int j = 0; j < column.length; j++) {
                m[i][j] = settings.beta1() * m[i][j] + (1 - settings.beta1()) * g[i][j];
                double mean = m[i][j] / (1 - Math.pow(settings.beta1(), (double) step));
                double deviation =
                        Math.sqrt((row[i] * corrected + epsilon) * (column[j] * corrected + epsilon) / (mu + epsilon));
                w[i][j] -= learningRate * weightDecay * w[i][j];
                w[i][j] -= learningRate * mean / (deviation + epsilon);
            }
        }
        device().store(weights, w);
        device().store(firstMoment, m);
        device().store(rowMoment, 0, row);
        device().store(columnMoment, 0, column);
    }

    @Override
    default void adafactor(
            Tensor weights,
            Tensor gradients,
            Tensor rowMoment,
            Tensor columnMoment,
            Adafactor settings,
            float learningRate,
            float weightDecay,
            float gradientScale,
            long step) {
        Shapes.adafactor(weights, gradients, rowMoment, columnMoment, step);
        double[][] w = device().load(weights);
        double[][] g = scaled(device().load(gradients), gradientScale);
        double[] row = vector(rowMoment);
        double[] column = vector(columnMoment);
        average(row, column, g, 1 - Math.pow((double) step, settings.decayRate()), settings.floor());
        double mean = 0;
        for (double r : row) {
            mean += r / row.length;
        }
        double squares = 0;
        for (int i = 0; i < row.length; i++) {
            for (int j = 0; j < column.length; j++) {
                g[i][j] *= Math.sqrt(mean / row[i]) / Math.sqrt(column[j]);
                squares += g[i][j] * g[i][j];
            }
        }
        double clip = Math.max(1, Math.sqrt(squares / weights.size()) / settings.clipThreshold());
        for (int i = 0; i < row.length; i++) {
            for (int j = 0; j < column.length; j++) {
                w[i][j] -= learningRate * weightDecay * w[i][j];
                w[i][j] -= learningRate * g[i][j] / clip;
            }
        }
        device().store(weights, w);
        device().store(rowMoment, 0, row);
        device().store(columnMoment, 0, column);
    }

    @Override
    default void adafactorVector(
            Tensor weights,
            Tensor gradients,
            Tensor secondMoment,
            Adafactor settings,
            float learningRate,
            float weightDecay,
            float gradientScale,
            long step) {
        Shapes.adafactorVector(weights, gradients, secondMoment, step);
        double[] w = vector(weights);
        double[] g = vector(gradients);
        double[] v = vector(secondMoment);
        double decay = 1 - Math.pow((double) step, settings.decayRate());
        double squares = 0;
        for (int i = 0; i < w.length; i++) {
            double gradient = g[i] * gradientScale;
            v[i] = decay * v[i] + (1 - decay) * (gradient * gradient + settings.floor());
            g[i] = gradient / Math.sqrt(v[i]);
            squares += g[i] * g[i];
        }
        double clip = Math.max(1, Math.sqrt(squares / w.length) / settings.clipThreshold());
        for (int i = 0; i < w.length; i++) {
            w[i] -= learningRate * weightDecay * w[i];
            w[i] -= learningRate * g[i] / clip;
        }
        device().store(weights, 0, w);
        device().store(secondMoment, 0, v);
    }

    private static double[][] scaled(double[][] matrix, double scale) {
        for (double[] row : matrix) {
            for (int j = 0; j < row.length; j++) {
                row[j] *= scale;
            }
        }
        return matrix;
    }

    /** Moves the moments towards the means of g² + floor over rows and columns. */
    private static void average(double[] row, double[] column, double[][] g, double decay, double floor) {
        double[] sums = new double[column.length];
        for (int i = 0; i < row.length; i++) {
            double sum = 0;
            for (int j = 0; j < column.length; j++) {
                double square = g[i][j] * g[i][j] + floor;
                sum += square;
                sums[j] += square;
            }
            row[i] = decay * row[i] + (1 - decay) * sum / column.length;
        }
        for (int j = 0; j < column.length; j++) {
            column[j] = decay * column[j] + (1 - decay) * sums[j] / row.length;
        }
    }
}
