package pacer.trainer.optim;

import java.util.ArrayList;
import java.util.List;
import pacer.trainer.model.Parameter;
import pacer.trainer.model.Replica;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Operations.AdamW;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.OptimizerSpec;

/** AdamW on a replica: two moments beside the weights, in the same layout; every lane updates its part. */
public final class AdamWOptimizer {

    /** A stretch of the flat tensors with one weight decay. */
    private record Stretch(long from, long to, float weightDecay) {}

    private final Replica replica;
    private final AdamW settings;
    private final List<Stretch> stretches = new ArrayList<>();
    private final Tensor firstMoment;
    private final Tensor secondMoment;

    public AdamWOptimizer(Replica replica, OptimizerSpec spec) {
        this.replica = replica;
        this.settings = new AdamW((float) spec.beta1(), (float) spec.beta2(), (float) spec.epsilon());
        int elements = replica.parameters().elements();
        this.firstMoment = replica.device().allocate("first moment", DType.F32, elements);
        this.secondMoment = replica.device().allocate("second moment", DType.F32, elements);
        for (Parameter p : replica.parameters().all()) {
            float decay = p.decays() ? (float) spec.weightDecay() : 0f;
            Stretch last = stretches.isEmpty() ? null : stretches.getLast();
            // the gap before a parameter is zero everywhere and stays so: a stretch may run over it
            if (last != null && last.weightDecay() == decay) {
                stretches.removeLast();
                stretches.add(new Stretch(last.from(), p.offset() + p.size(), decay));
            } else {
                stretches.add(new Stretch(p.offset(), p.offset() + p.size(), decay));
            }
        }
    }

    /**
     * One update from the replica's gradients.
     *
     * @param gradientScale multiplies the gradients first (clipping)
     * @param step counts from 1
     */
    public void update(double learningRate, double gradientScale, long step) {
        replica.update((device, from, to) -> {
            for (Stretch s : stretches) {
                long start = Math.max(from, s.from());
                long end = Math.min(to, s.to());
                if (start < end) {
                    device.operations()
                            .adamW(
                                    replica.weights(),
                                    replica.gradients(),
                                    firstMoment,
                                    secondMoment,
                                    start,
                                    end,
                                    settings,
                                    (float) learningRate,
                                    s.weightDecay(),
                                    (float) gradientScale,
                                    step);
                }
            }
        });
    }

    /** Running mean of gradients, laid out as the weights. */
    public Tensor firstMoment() {
        return firstMoment;
    }

    /** Running mean of squared gradients, laid out as the weights. */
    public Tensor secondMoment() {
        return secondMoment;
    }
}
