package pacer.trainer.ops.reference;

import pacer.trainer.ops.Shapes;
import pacer.trainer.ops.Tensor;

/** Sums over gradients, and what they do to weights. */
interface ReferenceOptimizers extends ReferenceWork {
    @Override
    default void sum(Tensor out, Tensor[] sources, long from, long to) {
        Shapes.sum(out, sources, from, to);
        double[] total = device().load(sources[0], from, to);
        for (int s = 1; s < sources.length; s++) {
            ReferenceWork.addScaled(total, 1, device().load(sources[s], from, to));
        }
        device().store(out, from, total);
    }

    @Override
    default double sumOfSquares(Tensor tensor, long from, long to) {
        Shapes.sumOfSquares(tensor, from, to);
        double total = 0;
        for (double value : device().load(tensor, from, to)) {
            total += value * value;
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
        double[] w = device().load(weights, from, to);
        double[] g = device().load(gradients, from, to);
        double[] m = device().load(firstMoment, from, to);
        double[] v = device().load(secondMoment, from, to);
        double beta1 = settings.beta1();
        double beta2 = settings.beta2();
        for (int i = 0; i < w.length; i++) {
            double gradient = g[i] * gradientScale;
            m[i] = beta1 * m[i] + (1 - beta1) * gradient;
            v[i] = beta2 * v[i] + (1 - beta2) * gradient * gradient;
            double mean = m[i] / (1 - Math.pow(beta1, (double) step));
            double deviation = Math.sqrt(v[i] / (1 - Math.pow(beta2, (double) step)));
            w[i] -= learningRate * weightDecay * w[i];
            w[i] -= learningRate * mean / (deviation + settings.epsilon());
        }
        device().store(weights, from, w);
        device().store(firstMoment, from, m);
        device().store(secondMoment, from, v);
    }
}
