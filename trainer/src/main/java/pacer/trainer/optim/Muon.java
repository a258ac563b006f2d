package pacer.trainer.optim;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import pacer.trainer.model.Parameter;
import pacer.trainer.model.Replica;
import pacer.trainer.ops.DType;
import pacer.trainer.ops.Operations;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.OptimizerSpec;

/**
 * Muon (Jordan 2024) for one matrix: momentum, orthogonalized, and lengthened by the shape of the matrix.
 *
 * @param offset of its first parameter in the flat tensors
 * @param state what is kept, under the names of parameters; with one of the matrices of a parameter for all
 */
record Muon(
        OptimizerSpec spec,
        long offset,
        Tensor weights,
        Tensor gradients,
        Tensor momentum,
        NewtonSchulz iteration,
        List<Optimizer.State> state) {
    private static final int ITERATIONS = 5;
    private static final int QUERIES_KEYS_VALUES = 3;

    static List<Muon> of(Replica replica, OptimizerSpec spec, List<Parameter> parameters) {
        Map<String, NewtonSchulz> shared = new HashMap<>(); // they hold nothing from one matrix to the next
        List<Muon> all = new ArrayList<>();
        for (List<Parameter> together : together(parameters)) {
            Parameter first = together.getFirst();
            List<String> names = together.stream().map(Parameter::name).toList();
            Tensor weights = replica.parameters().in(replica.weights(), names);
            Tensor gradients = replica.parameters().in(replica.gradients(), names);
            Tensor momentum = replica.device().allocate("momentum", DType.F32, weights.shape());
            int matrices = isQueriesKeysValues(first) && !spec.jointQkv() ? QUERIES_KEYS_VALUES : 1;
            int rows = weights.dim(0) / matrices;
            int columns = weights.dim(1);
            int lane = replica.lane(first.offset());
            NewtonSchulz iteration = shared.computeIfAbsent(
                    lane + ": " + rows + " x " + columns,
                    none -> new NewtonSchulz(replica.device(lane), rows, columns, replica.factors()));
            for (int matrix = 0; matrix < matrices; matrix++) {
                long at = (long) matrix * rows * columns;
                all.add(new Muon(
                        spec,
                        first.offset(),
                        weights.slice(first.name(), at, rows, columns),
                        gradients.slice(first.name(), at, rows, columns),
                        momentum.slice(first.name(), at, rows, columns),
                        iteration,
                        matrix > 0 ? List.of() : state(together, momentum)));
            }
        }
        return all;
    }

    /** Each parameter alone, but a block's queries, keys and values, which lie in one piece, where they are three. */
    private static List<List<Parameter>> together(List<Parameter> parameters) {
        List<List<Parameter>> groups = new ArrayList<>();
        for (int i = 0; i < parameters.size(); ) {
            int count = parameters.get(i).name().endsWith("attn.c_q.weight") ? QUERIES_KEYS_VALUES : 1;
            groups.add(parameters.subList(i, i + count));
            i += count;
        }
        return groups;
    }

    private static boolean isQueriesKeysValues(Parameter first) {
        return first.name().endsWith("attn.c_q.weight") || first.name().endsWith("attn.c_attn.weight");
    }

    private static List<Optimizer.State> state(List<Parameter> together, Tensor momentum) {
        long begin = together.getFirst().offset();
        return together.stream()
                .map(p -> new Optimizer.State(
                        "momentum_buffer." + p.name(),
                        momentum.slice(
                                p.name(),
                                p.offset() - begin,
                                p.shape().get(0),
                                p.shape().get(1))))
                .toList();
    }

    /** Updates the weights from the gradients. */
    void apply(Operations ops, Optimizer.Step step) {
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
        Tensor update = iteration.of(nesterov, ITERATIONS);
        double rate = step.learningRate(); // of matrices, which have none of their own
        double rows = weights.dim(0);
        double columns = weights.dim(1);
        double length =
                switch (spec.updateScale()) {
                    case TALLER -> Math.sqrt(Math.max(1, rows / columns));
                    case LONGEST -> Math.sqrt(Math.max(rows, columns));
                    case ONE -> 1;
                };
        ops.combine(weights, (float) (1 - rate * spec.weightDecay()), weights, (float) (-rate * length), update);
    }
}
