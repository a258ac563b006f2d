package pacer.trainer.optim;

import java.util.ArrayList;
import java.util.List;
import pacer.trainer.model.Parameter;
import pacer.trainer.model.Replica;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Operations.AdamW;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.OptimizerSpec;

/** AdamW: two moments beside the weights, in the same layout; parameters are divided wherever lanes are. */
final class AdamWRule implements Optimizer.Rule {

    /** Parameters that follow each other: elements of the flat tensors, from {@code from} on. */
    private record Run(
            long from,
            List<Parameter> parameters,
            Tensor weights,
            Tensor gradients,
            Tensor firstMoment,
            Tensor secondMoment) {}

    /** A stretch of a run with one rate and one weight decay. */
    private record Stretch(Run run, long from, long to, Parameter like, float weightDecay) {}

    private final Replica replica;
    private final OptimizerSpec spec;
    private final AdamW settings;
    private final List<Run> runs = new ArrayList<>();
    private final List<Stretch> stretches = new ArrayList<>();

    AdamWRule(Replica replica, OptimizerSpec spec, List<Parameter> parameters) {
        this.replica = replica;
        this.spec = spec;
        this.settings = new AdamW((float) spec.beta1(), (float) spec.beta2(), (float) spec.epsilon());
        List<Parameter> all = replica.parameters().all();
        List<Parameter> run = new ArrayList<>();
        for (int i = 0; i < all.size(); i++) {
            if (parameters.contains(all.get(i))) {
                run.add(all.get(i));
            }
            boolean ends = !run.isEmpty() && (i + 1 == all.size() || !parameters.contains(all.get(i + 1)));
            if (ends) {
                add(List.copyOf(run));
                run.clear();
            }
        }
    }

    /** The gaps between parameters are zero everywhere and stay so: a run, and a stretch, may go over them. */
    private void add(List<Parameter> parameters) {
        long from = parameters.getFirst().offset();
        long to = parameters.getLast().offset() + parameters.getLast().size();
        int elements = Math.toIntExact(to - from);
        Run run = new Run(
                from,
                parameters,
                replica.weights().slice("weights", from, elements),
                replica.gradients().slice("gradients", from, elements),
                replica.device().allocate("first moment", DType.F32, elements),
                replica.device().allocate("second moment", DType.F32, elements));
        runs.add(run);
        Stretch last = null;
        for (Parameter p : parameters) {
            float decay = p.decays() ? (float) spec.weightDecay() : 0f;
            boolean same = last != null
                    && last.weightDecay == decay
                    && Optimizer.rate(spec, last.like, 1) == Optimizer.rate(spec, p, 1);
            if (same) {
                stretches.removeLast();
            }
            last = new Stretch(run, same ? last.from : p.offset(), p.offset() + p.size(), p, decay);
            stretches.add(last);
        }
    }

    @Override
    public void update(Device device, long from, long to, Optimizer.Step step) {
        for (Stretch s : stretches) {
            long start = Math.max(from, s.from);
            long end = Math.min(to, s.to);
            if (start < end) {
                long before = s.run.from;
                device.operations()
                        .adamW(
                                s.run.weights,
                                s.run.gradients,
                                s.run.firstMoment,
                                s.run.secondMoment,
                                start - before,
                                end - before,
                                settings,
                                (float) Optimizer.rate(spec, s.like, step.learningRate()),
                                s.weightDecay,
                                (float) step.gradientScale(),
                                step.number());
            }
        }
    }

    @Override
    public List<Optimizer.State> state() {
        List<Optimizer.State> state = new ArrayList<>();
        for (Run run : runs) {
            for (Parameter p : run.parameters) {
                int[] shape = p.shape().stream().mapToInt(Integer::intValue).toArray();
                long at = p.offset() - run.from;
                state.add(new Optimizer.State("exp_avg." + p.name(), run.firstMoment.slice(p.name(), at, shape)));
                state.add(new Optimizer.State("exp_avg_sq." + p.name(), run.secondMoment.slice(p.name(), at, shape)));
            }
        }
        return state;
    }
}
