package pacer.trainer.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import pacer.trainer.model.DropoutPlan;
import pacer.trainer.model.Parameter;
import pacer.trainer.model.Replica;
import pacer.trainer.optim.GradientClip;
import pacer.trainer.optim.Optimizer;

/** A step as training takes it, on tokens and weights by {@link Formula}: gradients to zero, micro-steps, reduction, clipping, update. */
final class TimedStep {
    private final BenchCase what;
    private final Replica replica;
    private final Optimizer optimizer;
    private final MemorySegment[] inputs; // (B, T) int32, one a micro-step
    private final MemorySegment[] targets;
    private int step;

    TimedStep(BenchCase what, Replica replica) {
        this.what = what;
        this.replica = replica;
        this.optimizer = Optimizer.of(replica, what.optimizer());
        this.inputs = new MemorySegment[what.microSteps()];
        this.targets = new MemorySegment[what.microSteps()];
        Arena arena = Arena.ofAuto();
        long bytes = 4L * what.sequences() * what.length();
        for (int micro = 0; micro < what.microSteps(); micro++) {
            inputs[micro] = arena.allocate(bytes, 64);
            targets[micro] = arena.allocate(bytes, 64);
        }
        for (Parameter p : replica.parameters().all()) {
            try (Arena once = Arena.ofConfined()) {
                MemorySegment values = once.allocate(4 * p.size(), 64);
                boolean gain = p.shape().size() == 1 && p.name().endsWith(".weight");
                Formula.weights(what.seed(), p.name(), gain, values);
                replica.device().write(replica.parameters().in(replica.weights(), p.name()), values);
            }
        }
        replica.weightsChanged();
    }

    /** Makes the next step's batch; not a part of what is timed, on either side. */
    void prepare() {
        for (int micro = 0; micro < what.microSteps(); micro++) {
            Formula.tokens(what.seed(), step, micro, what.model().vocabulary(), inputs[micro], targets[micro]);
        }
    }

    /** Takes the step; its loss, mean nats a token. */
    double take() {
        replica.zeroGradients();
        double sum = 0;
        for (int micro = 0; micro < what.microSteps(); micro++) {
            DropoutPlan dropout =
                    new DropoutPlan((float) what.model().dropout(), what.seed(), step, (long) micro * what.sequences());
            sum += replica.forwardBackward(inputs[micro], targets[micro], 1f / what.tokens(), dropout);
        }
        replica.reduceGradients();
        double norm = replica.gradientNorm();
        step++;
        optimizer.update(what.optimizer().learningRate(), GradientClip.factor(norm, what.gradientClip()), step);
        return sum / what.tokens();
    }
}
