package pacer.trainer.ops.reference;

import pacer.trainer.ops.Shapes;
import pacer.trainer.ops.Tensor;

/** Cross-entropy. */
interface ReferenceLosses extends ReferenceWork {
    @Override
    default void crossEntropy(Tensor losses, Tensor logits, Tensor targets, float gradientScale, float softcap) {
        Shapes.crossEntropy(losses, logits, targets);
        int[] target = numbers(targets, -1, logits.columns(), "crossEntropy: target");
        double[][] z = device().load(logits); // (rows, V)
        double[] loss = new double[z.length];
        for (int r = 0; r < z.length; r++) {
            double[] slope = cap(z[r], softcap);
            double lse = ReferenceWork.logSumExp(z[r], 0, z[r].length);
            loss[r] = target[r] < 0 ? 0 : lse - z[r][target[r]];
            for (int n = 0; n < z[r].length; n++) {
                double oneHot = n == target[r] ? 1 : 0;
                z[r][n] = target[r] < 0 ? 0 : (Math.exp(z[r][n] - lse) - oneHot) * slope[n] * gradientScale;
            }
        }
        device().store(losses, 0, loss);
        device().store(logits, z);
    }

    @Override
    default void crossEntropyForward(Tensor losses, Tensor logits, Tensor targets, float softcap) {
        Shapes.crossEntropyForward(losses, logits, targets);
        int[] target = numbers(targets, -1, logits.columns(), "crossEntropyForward: target");
        double[][] z = device().load(logits); // (rows, V)
        double[] loss = new double[z.length];
        for (int r = 0; r < z.length; r++) {
            cap(z[r], softcap);
            loss[r] = target[r] < 0 ? 0 : ReferenceWork.logSumExp(z[r], 0, z[r].length) - z[r][target[r]];
        }
        device().store(losses, 0, loss);
    }

    /** Caps logits where they are, and returns the derivatives. */
    private static double[] cap(double[] z, double softcap) {
        double[] slope = new double[z.length];
        for (int n = 0; n < z.length; n++) {
            double tanh = softcap == 0 ? 0 : Math.tanh(z[n] / softcap);
            z[n] = softcap == 0 ? z[n] : softcap * tanh;
            slope[n] = 1 - tanh * tanh;
        }
        return slope;
    }
}
