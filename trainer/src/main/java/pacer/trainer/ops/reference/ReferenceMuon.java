package pacer.trainer.ops.reference;

import pacer.trainer.ops.Shapes;
import pacer.trainer.ops.Tensor;

/** What Muon adds to products. */
interface ReferenceMuon extends ReferenceWork {
    @Override
    default void nesterov(Tensor out, Tensor momentum, Tensor gradients, float factor, float gradientScale) {
        Shapes.nesterov(out, momentum, gradients);
        double[] g = vector(gradients);
        double[] m = vector(momentum);
        for (int i = 0; i < g.length; i++) {
            double gradient = g[i] * gradientScale;
            m[i] += (1 - factor) * (gradient - m[i]);
            g[i] = gradient + factor * (m[i] - gradient);
        }
        device().store(momentum, 0, m);
        device().store(out, 0, g);
    }

    @Override
    default void normalize(Tensor out, Tensor in, float epsilon) {
        Shapes.normalize(out, in);
        double[][] values = device().load(in);
        double squares = 0;
        for (double[] row : values) {
            squares += ReferenceWork.dot(row, row, 0, row.length);
        }
        double norm = Math.sqrt(squares) + epsilon;
        for (double[] row : values) {
            for (int j = 0; j < row.length; j++) {
                row[j] /= norm;
            }
        }
        device().store(out, values);
    }

    @Override
    default void combine(Tensor out, float alpha, Tensor a, float beta, Tensor b) {
        Shapes.combine(out, a, b);
        double[][] first = device().load(a);
        double[][] second = device().load(b);
        for (int i = 0; i < first.length; i++) {
            for (int j = 0; j < first[i].length; j++) {
                first[i][j] = alpha * first[i][j] + beta * second[i][j];
            }
        }
        device().store(out, first);
    }
}
