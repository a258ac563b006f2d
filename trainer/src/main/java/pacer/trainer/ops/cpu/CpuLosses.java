package pacer.trainer.ops.cpu;

import static pacer.trainer.ops.cpu.Vectors.getInt;
import static pacer.trainer.ops.cpu.Vectors.putFloat;

import pacer.trainer.ops.Shapes;
import pacer.trainer.ops.Tensor;

/** Cross-entropy. */
interface CpuLosses extends CpuWork {
    @Override
    default void crossEntropy(Tensor losses, Tensor logits, Tensor targets, float gradientScale, float softcap) {
        Shapes.crossEntropy(losses, logits, targets);
        int n = logits.columns();
        crew().forEachRange(logits.rows(), 1, (member, from, to) -> {
            long tanh = softcap > 0 ? scratch(member).reserve(Scratch.ROW, 4L * n) : 0;
            for (long i = from; i < to; i++) {
                long z = logits.rowAddress(i);
                if (softcap > 0) {
                    LossKernels.cap(z, tanh, z, n, softcap);
                }
                float loss = LossKernels.lossAndGradient(z, n, target(targets, i, n), gradientScale);
                if (softcap > 0) {
                    LossKernels.uncapGradient(z, tanh, n);
                }
                putFloat(losses.address() + 4 * i, loss);
            }
        });
    }

    @Override
    default void crossEntropyForward(Tensor losses, Tensor logits, Tensor targets, float softcap) {
        Shapes.crossEntropyForward(losses, logits, targets);
        int n = logits.columns();
        crew().forEachRange(logits.rows(), 1, (member, from, to) -> {
            long work = scratch(member).reserve(Scratch.ROW, 8L * n + 64);
            long capped = work + 4L * n;
            for (long i = from; i < to; i++) {
                long z = logits.rowAddress(i);
                if (softcap > 0) {
                    LossKernels.cap(z, work, capped, n, softcap);
                    z = capped;
                }
                putFloat(losses.address() + 4 * i, LossKernels.loss(z, work, n, target(targets, i, n)));
            }
        });
    }

    private static int target(Tensor targets, long i, int vocabulary) {
        int target = getInt(targets.address() + 4 * i);
        if (target < -1 || target >= vocabulary) {
            throw new IllegalArgumentException(
                    "target " + target + " at place " + i + " is outside of the vocabulary of " + vocabulary);
        }
        return target;
    }
}
