package pacer.trainer.optim;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import pacer.trainer.dist.Partition.Piece;
import pacer.trainer.model.Parameter;
import pacer.trainer.model.Replica;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Operations.AdamW;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.OptimizerSpec;

/** AdamW: two moments beside the weights; parameters are divided wherever ranks and lanes are. */
final class AdamWRule implements Optimizer.Rule {

    /** Elements with one rate and one weight decay, of one lane, from element {@code from} of the flat tensors on. */
    private record Stretch(
            long from,
            Tensor weights,
            Tensor gradients,
            Tensor firstMoment,
            Tensor secondMoment,
            Parameter like,
            float weightDecay) {}

    private final Replica replica;
    private final OptimizerSpec spec;
    private final AdamW settings;
    private final Moments firstMoment;
    private final Moments secondMoment;
    private final List<List<Stretch>> lanes;

    /** @param pieces of the flat tensors that it updates */
    AdamWRule(Replica replica, OptimizerSpec spec, List<Piece> pieces) {
        this.replica = replica;
        this.spec = spec;
        this.settings = new AdamW((float) spec.beta1(), (float) spec.beta2(), (float) spec.epsilon());
        this.firstMoment = Moments.allocate(replica, "exp_avg", pieces);
        this.secondMoment = Moments.allocate(replica, "exp_avg_sq", pieces);
        this.lanes = Division.divided(pieces, replica.lanes()).stream()
                .map(own -> own.stream().flatMap(this::stretches).toList())
                .toList();
    }

    private Stream<Stretch> stretches(Piece own) {
        List<Stretch> stretches = new ArrayList<>();
        Stretch last = null;
        for (Parameter p : replica.parameters().all()) {
            long from = Math.max(own.from(), p.offset());
            long to = Math.min(own.to(), p.offset() + p.size());
            if (from >= to) {
                continue;
            }
            float decay = p.decays() ? (float) spec.weightDecay() : 0f;
            boolean same = last != null
                    && last.weightDecay == decay
                    && Optimizer.rate(spec, last.like, 1) == Optimizer.rate(spec, p, 1);
            long begin = same ? stretches.removeLast().from : from;
            int elements = Math.toIntExact(to - begin); // the gaps within are zero and stay so
            last = new Stretch(
                    begin,
                    replica.weights().slice("weights", begin, elements),
                    replica.gradients().slice("gradients", begin, elements),
                    firstMoment.at(begin, elements),
                    secondMoment.at(begin, elements),
                    p,
                    decay);
            stretches.add(last);
        }
        return stretches.stream();
    }

    @Override
    public void update(int lane, Device device, Optimizer.Step step) {
        for (Stretch s : lanes.get(lane)) {
            device.operations()
                    .adamW(
                            s.weights,
                            s.gradients,
                            s.firstMoment,
                            s.secondMoment,
                            0,
                            s.weights.size(),
                            settings,
                            (float) Optimizer.rate(spec, s.like, step.learningRate()),
                            s.weightDecay,
                            (float) step.gradientScale(),
                            step.number());
        }
    }

    @Override
    public List<Optimizer.State> state() {
        List<Parameter> all = replica.parameters().all();
        return Stream.concat(firstMoment.state(all).stream(), secondMoment.state(all).stream())
                .toList();
    }
}
