package pacer.trainer.optim;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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

    private static final int MUON_ITERATIONS = 5;

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
        Map<String, NewtonSchulz> shared =
                new HashMap<>(); // by lane and shape: they hold nothing from one matrix to the next
        List<Item> items = new ArrayList<>();
        for (Parameter p : parameters) {
            int lane = replica.lane(p.offset());
            Tensor weights = replica.parameters().in(replica.weights(), p.name());
            Tensor gradients = replica.parameters().in(replica.gradients(), p.name());
            Tensor momentum = replica.device().allocate("momentum", DType.F32, weights.shape());
            int columns = weights.dim(1);
            // queries, keys and values lie in one tensor, but are three matrices
            int parts = p.name().endsWith("attn.c_attn.weight") ? 3 : 1;
            int rows = weights.dim(0) / parts;
            NewtonSchulz iteration = shared.computeIfAbsent(
                    lane + ": " + rows + " x " + columns,
                    none -> new NewtonSchulz(replica.device(lane), rows, columns, replica.factors()));
            for (int part = 0; part < parts; part++) {
                long at = (long) part * rows * columns;
                Tensor w = weights.slice(p.name(), at, rows, columns);
                Tensor g = gradients.slice(p.name(), at, rows, columns);
                Tensor m = momentum.slice(p.name(), at, rows, columns);
                items.add(new Item(
                        p.offset(),
                        (ops, step) -> muonStep(ops, w, g, m, iteration, spec, step),
                        part > 0 ? List.of() : List.of(new Optimizer.State("momentum_buffer." + p.name(), momentum))));
            }
        }
        return new WholeParameters(items);
    }

    /** A step of Muon (Jordan 2024): momentum, orthogonalized, and lengthened by the shape of the matrix. */
    private static void muonStep(
            Operations ops,
            Tensor weights,
            Tensor gradients,
            Tensor momentum,
            NewtonSchulz iteration,
            OptimizerSpec spec,
            Optimizer.Step step) {
        double warm =
                spec.momentumWarmupSteps() == 0 ? 1 : Math.min(1, (step.number() - 1.0) / spec.momentumWarmupSteps());
        float factor = (float) ((1 - warm) * spec.momentumStart() + warm * spec.momentum());
        Tensor nesterov = iteration.input();
        float scale = (float) step.gradientScale();
        switch (spec.momentumForm()) {
            case MEAN -> ops.nesterov(nesterov, momentum, gradients, factor, scale);
            case SUM -> {
                ops.combine(momentum, factor, momentum, scale, gradients);
                ops.combine(nesterov, scale, gradients, factor, momentum);
            }
        }
        Tensor update = iteration.of(nesterov, MUON_ITERATIONS);
        double rate = step.learningRate(); // of matrices, which have none of their own
        double length = updateLength(spec.updateScale(), weights.dim(0), weights.dim(1));
        ops.combine(weights, (float) (1 - rate * spec.weightDecay()), weights, (float) (-rate * length), update);
    }

    private static double updateLength(OptimizerSpec.UpdateScale scale, double rows, double columns) {
        return switch (scale) {
            case TALLER -> Math.sqrt(Math.max(1, rows / columns));
            case LONGEST -> Math.sqrt(Math.max(rows, columns));
            case ONE -> 1;
        };
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
