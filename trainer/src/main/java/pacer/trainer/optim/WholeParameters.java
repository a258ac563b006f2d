package pacer.trainer.optim;

import java.util.List;
import pacer.trainer.model.Parameter;
import pacer.trainer.model.Replica;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Operations;
import pacer.trainer.ops.Operations.Adafactor;
import pacer.trainer.ops.Operations.AdamW;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.OptimizerSpec;

/** Rules that take each parameter whole: a lane those that begin in its part. */
final class WholeParameters implements Optimizer.Rule {
    /** As Hugging Face's Adafactor has them by default. */
    private static final Adafactor ADAFACTOR = new Adafactor(-0.8, 1e-30f, 1);

    /** Updates a parameter. */
    private interface Update {
        void apply(Operations ops, Optimizer.Step step);
    }

    /** @param offset of the parameter in the flat tensors */
    private record Item(long offset, Update update, List<Optimizer.State> state) {}

    private final List<Item> items;

    private WholeParameters(List<Item> items) {
        this.items = List.copyOf(items);
    }

    static WholeParameters striped(Replica replica, OptimizerSpec spec, List<Parameter> parameters) {
        AdamW settings = new AdamW((float) spec.beta1(), (float) spec.beta2(), (float) spec.epsilon());
        return new WholeParameters(parameters.stream()
                .map(p -> {
                    Device device = replica.device();
                    Tensor weights = replica.parameters().in(replica.weights(), p.name());
                    Tensor gradients = replica.parameters().in(replica.gradients(), p.name());
                    Tensor first = device.allocate("first moment", DType.F32, weights.shape());
                    Tensor rows = device.allocate("row moment", DType.F32, weights.dim(0));
                    Tensor columns = device.allocate("column moment", DType.F32, weights.dim(1));
                    Update update = (ops, step) -> ops.stripedAdamW(
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
                    return new Item(
                            p.offset(),
                            update,
                            List.of(
                                    new Optimizer.State("exp_avg." + p.name(), first),
                                    new Optimizer.State("exp_avg_sq_row." + p.name(), rows),
                                    new Optimizer.State("exp_avg_sq_col." + p.name(), columns)));
                })
                .toList());
    }

    static WholeParameters adafactor(Replica replica, OptimizerSpec spec, List<Parameter> parameters) {
        return new WholeParameters(parameters.stream()
                .map(p -> p.shape().size() == 2 ? matrix(replica, spec, p) : vector(replica, spec, p))
                .toList());
    }

    private static Item matrix(Replica replica, OptimizerSpec spec, Parameter p) {
        Tensor weights = replica.parameters().in(replica.weights(), p.name());
        Tensor gradients = replica.parameters().in(replica.gradients(), p.name());
        Tensor rows = replica.device().allocate("row moment", DType.F32, weights.dim(0));
        Tensor columns = replica.device().allocate("column moment", DType.F32, weights.dim(1));
        Update update = (ops, step) -> ops.adafactor(
                weights,
                gradients,
                rows,
                columns,
                ADAFACTOR,
                (float) Optimizer.rate(spec, p, step.learningRate()),
                (float) spec.weightDecay(),
                (float) step.gradientScale(),
                step.number());
        return new Item(
                p.offset(),
                update,
                List.of(
                        new Optimizer.State("exp_avg_sq_row." + p.name(), rows),
                        new Optimizer.State("exp_avg_sq_col." + p.name(), columns)));
    }

    private static Item vector(Replica replica, OptimizerSpec spec, Parameter p) {
        Tensor weights = replica.parameters().in(replica.weights(), p.name());
        Tensor gradients = replica.parameters().in(replica.gradients(), p.name());
        Tensor second = replica.device().allocate("second moment", DType.F32, weights.shape());
        Update update = (ops, step) -> ops.adafactorVector(
                weights,
                gradients,
                second,
                ADAFACTOR,
                (float) Optimizer.rate(spec, p, step.learningRate()),
                0, // as everywhere, vectors do not decay
                (float) step.gradientScale(),
                step.number());
        return new Item(p.offset(), update, List.of(new Optimizer.State("exp_avg_sq." + p.name(), second)));
    }

    static WholeParameters muon(Replica replica, OptimizerSpec spec, List<Parameter> parameters) {
        return new WholeParameters(Muon.of(replica, spec, parameters).stream()
                .map(muon -> new Item(muon.offset(), muon::apply, muon.state()))
                .toList());
    }

    @Override
    public void update(Device device, long from, long to, Optimizer.Step step) {
        for (Item item : items) {
            if (item.offset >= from && item.offset < to) {
                item.update.apply(device.operations(), step);
            }
        }
    }

    @Override
    public List<Optimizer.State> state() {
        return items.stream().flatMap(item -> item.state.stream()).toList();
    }
}
