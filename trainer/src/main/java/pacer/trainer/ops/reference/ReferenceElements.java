package pacer.trainer.ops.reference;

import pacer.trainer.ops.Dropout;
import pacer.trainer.ops.Shapes;
import pacer.trainer.ops.Tensor;

/** What is done to each element by itself. */
interface ReferenceElements extends ReferenceWork {
    @Override
    default void activationForward(Tensor out, Tensor in, Activation activation) {
        Shapes.activationForward(out, in);
        double[][] x = device().load(in);
        for (double[] row : x) {
            for (int c = 0; c < row.length; c++) {
                row[c] = activation(row[c], activation);
            }
        }
        device().store(out, x);
    }

    @Override
    default void activationBackward(Tensor dIn, Tensor dOut, Tensor in, Activation activation) {
        Shapes.activationBackward(dIn, dOut, in);
        double[][] dy = device().load(dOut);
        double[][] x = device().load(in);
        for (int r = 0; r < x.length; r++) {
            for (int c = 0; c < x[r].length; c++) {
                dy[r][c] *= derivative(x[r][c], activation);
            }
        }
        device().store(dIn, dy);
    }

    double SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);

    private static double activation(double x, Activation activation) {
        return switch (activation) {
            case GELU_ERF -> x * Normal.cumulative(x);
            case GELU_TANH -> 0.5 * x * (1 + Math.tanh(SQRT_2_OVER_PI * (x + 0.044715 * x * x * x)));
            case RELU_SQUARED -> Math.max(x, 0) * Math.max(x, 0);
        };
    }

    private static double derivative(double x, Activation activation) {
        return switch (activation) {
            case GELU_ERF -> Normal.cumulative(x) + x * Normal.density(x);
            case GELU_TANH -> {
                double tanh = Math.tanh(SQRT_2_OVER_PI * (x + 0.044715 * x * x * x));
                double slope = SQRT_2_OVER_PI * (1 + 3 * 0.044715 * x * x);
                yield 0.5 * (1 + tanh) + 0.5 * x * (1 - tanh * tanh) * slope;
            }
            case RELU_SQUARED -> 2 * Math.max(x, 0);
        };
    }

    @Override
    default void dropout(Tensor out, Tensor in, Dropout dropout) {
        Shapes.dropout(out, in);
        double[][] x = device().load(in);
        for (int r = 0; r < x.length; r++) {
            for (int c = 0; c < x[r].length; c++) {
                x[r][c] *= ReferenceWork.factor(dropout, (long) r * x[r].length + c);
            }
        }
        device().store(out, x);
    }

    @Override
    default void add(Tensor out, Tensor a, Tensor b) {
        Shapes.add(out, a, b);
        double[][] sum = device().load(a);
        double[][] summand = device().load(b);
        for (int r = 0; r < sum.length; r++) {
            ReferenceWork.addScaled(sum[r], 1, summand[r]);
        }
        device().store(out, sum);
    }

    @Override
    default void convert(Tensor out, Tensor in) {
        Shapes.convert(out, in);
        device().store(out, device().load(in));
    }

    @Override
    default void zero(Tensor tensor) {
        device().store(tensor, new double[tensor.rows()][tensor.columns()]);
    }
}
