package pacer.trainer.ops.cpu;

import pacer.trainer.ops.Shapes;
import pacer.trainer.ops.Tensor;

/** Update rules of matrices that keep squared gradients by rows and columns only. */
interface CpuFactored extends CpuWork {
    /** Rows whose squares are summed before the sum is added to the columns' totals. */
    int BLOCK = 64;

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
        average(rowMoment, columnMoment, gradients, gradientScale, settings.beta2(), 0);
        int rows = weights.rows();
        int columns = weights.columns();
        double corrected = 1 / (1 - Math.pow(settings.beta2(), (double) step));
        double mu = corrected * (sum(rowMoment) + sum(columnMoment)) / (rows + columns);
        float epsilon = settings.epsilon();
        long deviations = scratch(0).reserve(Scratch.HEAD, 4L * columns);
        for (int j = 0; j < columns; j++) {
            Vectors.putFloat(deviations + 4L * j, (float) Math.sqrt(value(columnMoment, j) * corrected + epsilon));
        }
        float stepSize = (float) (learningRate / (1 - Math.pow(settings.beta1(), (double) step)));
        FactoredKernels.StripedFactors factors = new FactoredKernels.StripedFactors(
                settings.beta1(), gradientScale, 1 - learningRate * weightDecay, stepSize, epsilon);
        crew().forEachRange(rows, CpuWork.grain(columns), (member, from, to) -> {
            for (long i = from; i < to; i++) {
                float deviation = (float) Math.sqrt((value(rowMoment, i) * corrected + epsilon) / (mu + epsilon));
                FactoredKernels.stripedAdamW(
                        weights.rowAddress(i),
                        gradients.rowAddress(i),
                        firstMoment.rowAddress(i),
                        deviations,
                        columns,
                        deviation,
                        factors);
            }
        });
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
        double decay = 1 - Math.pow((double) step, settings.decayRate());
        average(rowMoment, columnMoment, gradients, gradientScale, decay, settings.floor());
        int rows = weights.rows();
        int columns = weights.columns();
        double mean = sum(rowMoment) / rows;
        long factors = scratch(0).reserve(Scratch.HEAD, 4L * columns);
        for (int j = 0; j < columns; j++) {
            Vectors.putFloat(factors + 4L * j, (float) (1 / Math.sqrt(value(columnMoment, j))));
        }
        double[] squares = new double[crew().size()];
        crew().forEachRange(rows, CpuWork.grain(columns), (member, from, to) -> {
            double sum = 0;
            for (long i = from; i < to; i++) {
                sum += mean
                        / value(rowMoment, i)
                        * FactoredKernels.weightedSquares(gradients.rowAddress(i), factors, columns);
            }
            squares[member] = sum;
        });
        float rate = learningRate / clip(squares, gradientScale, weights.size(), settings);
        float keep = 1 - learningRate * weightDecay;
        crew().forEachRange(rows, CpuWork.grain(columns), (member, from, to) -> {
            for (long i = from; i < to; i++) {
                float factor = (float) (rate * gradientScale * Math.sqrt(mean / value(rowMoment, i)));
                FactoredKernels.subtractWeighted(
                        weights.rowAddress(i), gradients.rowAddress(i), factors, keep, factor, columns);
            }
        });
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
        float decay = (float) (1 - Math.pow((double) step, settings.decayRate()));
        double[] squares = new double[crew().size()];
        crew().forEachRange(weights.size(), SMALL, (member, from, to) -> {
            double sum = 0;
            for (long i = from; i < to; i += SMALL) {
                sum += FactoredKernels.averageSquares(
                        gradients.address() + 4 * i,
                        secondMoment.address() + 4 * i,
                        gradientScale,
                        decay,
                        settings.floor(),
                        Math.min(SMALL, to - i));
            }
            squares[member] = sum;
        });
        float rate = learningRate / clip(squares, 1, weights.size(), settings);
        float keep = 1 - learningRate * weightDecay;
        crew().forEachRange(
                        weights.size(),
                        SMALL,
                        (member, from, to) -> FactoredKernels.subtractRooted(
                                weights.address() + 4 * from,
                                gradients.address() + 4 * from,
                                secondMoment.address() + 4 * from,
                                keep,
                                rate * gradientScale,
                                to - from));
    }

    /** By how much an update of these squares (of the gradients times {@code scale}) is scaled down. */
    private static float clip(double[] squares, float scale, long elements, Adafactor settings) {
        double all = 0;
        for (double part : squares) {
            all += part;
        }
        double rms = Math.abs(scale) * Math.sqrt(all / elements);
        return (float) Math.max(1, rms / settings.clipThreshold());
    }

    /** Moves the moments towards the means of (scale·g)² + floor over rows and columns. */
    private void average(
            Tensor rowMoment, Tensor columnMoment, Tensor gradients, float scale, double decay, double floor) {
        int rows = gradients.rows();
        int columns = gradients.columns();
        long bytes = 4L * columns;
        for (int member = 0; member < crew().size(); member++) {
            Vectors.zero(scratch(member).reserve(Scratch.STATISTICS, bytes), bytes);
        }
        crew().forEachRange(rows, CpuWork.grain(columns), (member, from, to) -> {
            long total = scratch(member).reserve(Scratch.STATISTICS, bytes);
            long block = scratch(member).reserve(Scratch.ROW, bytes);
            for (long first = from; first < to; first += BLOCK) {
                Vectors.zero(block, bytes);
                for (long i = first; i < Math.min(to, first + BLOCK); i++) {
                    float sum = FactoredKernels.addSquares(gradients.rowAddress(i), scale, block, columns);
                    move(rowMoment, i, decay, sum / columns + floor);
                }
                ElementKernels.add(total, block, total, columns);
            }
        });
        for (int j = 0; j < columns; j++) {
            double sum = 0;
            for (int member = 0; member < crew().size(); member++) {
                sum += Vectors.getFloat(scratch(member).reserve(Scratch.STATISTICS, bytes) + 4L * j);
            }
            move(columnMoment, j, decay, sum / rows + floor);
        }
    }

    private static void move(Tensor moment, long i, double decay, double mean) {
        Vectors.putFloat(moment.address() + 4 * i, (float) (decay * value(moment, i) + (1 - decay) * mean));
    }

    private static double sum(Tensor moment) {
        double sum = 0;
        for (long i = 0; i < moment.size(); i++) {
            sum += value(moment, i);
        }
        return sum;
    }

    private static float value(Tensor vector, long i) {
        return Vectors.getFloat(vector.address() + 4 * i);
    }
}
