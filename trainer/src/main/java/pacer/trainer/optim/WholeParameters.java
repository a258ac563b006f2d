package pacer.trainer.optim;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import pacer.trainer.dist.Partition.Piece;
import pacer.trainer.model.Parameter;
import pacer.trainer.model.Replica;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Operations;
import pacer.trainer.ops.Operations.Adafactor;
import pacer.trainer.ops.Operations.AdamW;
import pacer.trainer.ops.Tensor;
import pacer.trainer.optim.Division.Whole;
import pacer.trainer.spec.OptimizerSpec;

/** Rules that take each parameter whole; lanes share them by what they cost. */
final class WholeParameters implements Optimizer.Rule {
    /** As Hugging Face's Adafactor has them by default. */
    private static final Adafactor ADAFACTOR = new Adafactor(-0.8, 1e-30f, 1);

    /** Updates a parameter. */
    private interface Update {
        void apply(Operations ops, Optimizer.Step step);
    }

    private final List<List<Update>> lanes;
    private final List<Optimizer.State> state;

    private WholeParameters(List<List<Update>> lanes, List<Optimizer.State> state) {
        this.lanes = lanes;
        this.state = List.copyOf(state);
    }

    /** What plans the update of one parameter, and adds to {@code state} what is kept beside it. */
    private interface Planner {
        Update plan(Parameter p, List<Optimizer.State> state);
    }

    private static WholeParameters of(Replica replica, List<Whole> whole, Planner planner) {
        List<Optimizer.State> state = new ArrayList<>();
        List<List<Update>> lanes = Division.byCost(whole, replica.lanes()).stream()
                .map(own -> own.stream()
                        .map(w -> planner.plan(w.parameters().getFirst(), state))
                        .toList())
                .toList();
        return new WholeParameters(lanes, state);
    }

    static WholeParameters striped(Replica replica, OptimizerSpec spec, List<Whole> whole) {
        AdamW settings = new AdamW((float) spec.beta1(), (float) spec.beta2(), (float) spec.epsilon());
        return of(replica, whole, (p, state) -> {
            Tensor weights = replica.parameters().in(replica.weights(), p.name());
            Tensor gradients = replica.parameters().in(replica.gradients(), p.name());
            Tensor first = kept(replica, state, "exp_avg", p, weights.shape());
            Tensor rows = kept(replica, state, "exp_avg_sq_row", p, weights.dim(0));
            Tensor columns = kept(replica, state, "exp_avg_sq_col", p, weights.dim(1));
            return (ops, step) -> ops.stripedAdamW(
                    weights,
                    gradients,
                    first,
                    rows,
                    columns,
                    settings,
                    (float) Optimizer.rate(spec, p, step.learningRate()),
                    (float) spec.weightDecay(),
                    (float) step.gradientScale(),
                    step.number());
        });
    }

    static WholeParameters adafactor(Replica replica, OptimizerSpec spec, List<Whole> whole) {
        return of(
                replica,
                whole,
                (p, state) ->
                        p.shape().size() == 2 ? matrix(replica, spec, p, state) : vector(replica, spec, p, state));
    }

    private static Update matrix(Replica replica, OptimizerSpec spec, Parameter p, List<Optimizer.State> state) {
        Tensor weights = replica.parameters().in(replica.weights(), p.name());
        Tensor gradients = replica.parameters().in(replica.gradients(), p.name());
        Tensor rows = kept(replica, state, "exp_avg_sq_row", p, weights.dim(0));
        Tensor columns = kept(replica, state, "exp_avg_sq_col", p, weights.dim(1));
        return (ops, step) -> ops.adafactor(
                weights,
                gradients,
                rows,
                columns,
                ADAFACTOR,
                (float) Optimizer.rate(spec, p, step.learningRate()),
                (float) spec.weightDecay(),
                (float) step.gradientScale(),
                step.number());
    }

    private static Update vector(Replica replica, OptimizerSpec spec, Parameter p, List<Optimizer.State> state) {
        Tensor weights = replica.parameters().in(replica.weights(), p.name());
        Tensor gradients = replica.parameters().in(replica.gradients(), p.name());
        Tensor second = kept(replica, state, "exp_avg_sq", p, weights.shape());
        return (ops, step) -> ops.adafactorVector(
                weights,
                gradients,
                second,
                ADAFACTOR,
                (float) Optimizer.rate(spec, p, step.learningRate()),
                0, // as everywhere, vectors do not decay
                (float) step.gradientScale(),
                step.number());
    }

    private static Tensor kept(Replica replica, List<Optimizer.State> state, String kind, Parameter p, int... shape) {
        Tensor kept = replica.device().allocate(kind, DType.F32, shape);
        state.add(Optimizer.State.whole(kind + "." + p.name(), kept));
        return kept;
    }

    static WholeParameters muon(Replica replica, OptimizerSpec spec, List<Whole> matrices) {
        Moments momentum = Moments.allocate(
                replica,
                "momentum_buffer",
                Division.joined(matrices.stream()
                        .map(m -> new Piece(m.from(), m.from() + m.size()))
                        .toList()));
        List<List<Update>> lanes = new ArrayList<>();
        for (List<Whole> own : Division.byCost(matrices, replica.lanes())) {
            Device device = replica.device(lanes.size());
            Map<List<Integer>, NewtonSchulz> shapes = new HashMap<>();
            lanes.add(own.stream()
                    .<Update>map(m -> {
                        NewtonSchulz iteration = shapes.computeIfAbsent(
                                List.of(m.rows(), m.columns()),
                                none -> new NewtonSchulz(device, m.rows(), m.columns(), replica.factors()));
                        return Muon.of(replica, spec, m, momentum, iteration)::apply;
                    })
                    .toList());
        }
        return new WholeParameters(lanes, momentum.state(replica.parameters().all()));
    }

    @Override
    public void update(int lane, Device device, Optimizer.Step step) {
        lanes.get(lane).forEach(update -> update.apply(device.operations(), step));
    }

    @Override
    public List<Optimizer.State> state() {
        return state;
    }
}
