package pacer.trainer.optim;

import java.util.ArrayList;
import java.util.List;
import pacer.trainer.model.Parameter;
import pacer.trainer.model.Replica;
import pacer.trainer.ops.Operations;
import pacer.trainer.ops.Tensor;
import pacer.trainer.optim.Division.Whole;
import pacer.trainer.spec.OptimizerSpec;

/** Muon (Jordan 2024) for one matrix: momentum, orthogonalized, and lengthened by the shape of the matrix. */
record Muon(OptimizerSpec spec, Tensor weights, Tensor gradients, Tensor momentum, NewtonSchulz iteration) {
    private static final int ITERATIONS = 5;
    private static final int QUERIES_KEYS_VALUES = 3;

    /** The matrices that it takes: each parameter alone, but a block's queries, keys and values, which lie in one piece, are three or one. */
    static List<Whole> matrices(OptimizerSpec spec, List<Parameter> parameters) {
        List<Whole> all = new ArrayList<>();
        for (List<Parameter> together : together(parameters)) {
            Parameter first = together.getFirst();
            int rows = together.stream().mapToInt(p -> p.shape().getFirst()).sum();
            int columns = first.shape().getLast();
            int matrices = isQueriesKeysValues(first) && !spec.jointQkv() ? QUERIES_KEYS_VALUES : 1;
            for (int matrix = 0; matrix < matrices; matrix++) {
                long at = (long) matrix * (rows / matrices) * columns;
                all.add(Whole.matrix(together, first.offset() + at, rows / matrices, columns));
            }
        }
        return all;
    }

    /** @param iteration of that shape; it holds nothing from one matrix to the next */
    static Muon of(Replica replica, OptimizerSpec spec, Whole matrix, Moments momentum, NewtonSchulz iteration) {
        int rows = matrix.rows();
        int columns = matrix.columns();
        return new Muon(
                spec,
                replica.weights().slice("weights", matrix.from(), rows, columns),
                replica.gradients().slice("gradients", matrix.from(), rows, columns),
                momentum.at(matrix.from(), rows, columns),
                iteration);
    }

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
