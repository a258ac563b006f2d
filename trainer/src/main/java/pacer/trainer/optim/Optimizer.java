package pacer.trainer.optim;

import java.util.ArrayList;
import java.util.List;
import pacer.trainer.model.Parameter;
import pacer.trainer.model.Parameter.Role;
import pacer.trainer.model.Replica;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.OptimizerSpec;

/** Update rules at work on a replica's parameters: each kind of parameter by its rule, every lane its part. */
public final class Optimizer {
    private final Replica replica;
    private final List<Rule> rules;

    private Optimizer(Replica replica, List<Rule> rules) {
        this.replica = replica;
        this.rules = rules;
    }

    /**
     * What is kept beside a parameter.
     *
     * @param name as checkpoints have it, such as PyTorch's {@code exp_avg.} and the parameter's name
     */
    public record State(String name, Tensor tensor) {}

    /** What all rules are told of a step: {@code number} counts from 1. */
    record Step(double learningRate, double gradientScale, long number) {}

    /** A rule and the parameters that it is for. */
    interface Rule {
        /** Updates what of its parameters is elements [from, to) of the flat tensors or, where a parameter is updated whole, begins there. */
        void update(Device device, long from, long to, Step step);

        List<State> state();
    }

    /** Plans the rules of {@code spec} for {@code replica}; their state is zero. */
    public static Optimizer of(Replica replica, OptimizerSpec spec) {
        List<Parameter> matrices = new ArrayList<>();
        List<Parameter> others = new ArrayList<>();
        for (Parameter p : replica.parameters().all()) {
            (isForMatrices(spec.type(), p) ? matrices : others).add(p);
        }
        List<Rule> rules = new ArrayList<>();
        switch (spec.type()) {
            case ADAMW -> {}
            case STRIPED_ADAMW -> rules.add(WholeParameters.striped(replica, spec, matrices));
            case ADAFACTOR -> rules.add(WholeParameters.adafactor(replica, spec, matrices));
            case MUON -> rules.add(WholeParameters.muon(replica, spec, matrices));
        }
        if (!others.isEmpty()) {
            rules.add(new AdamWRule(replica, spec, others));
        }
        return new Optimizer(replica, List.copyOf(rules));
    }

    private static boolean isForMatrices(OptimizerSpec.Type type, Parameter p) {
        return switch (type) {
            case ADAMW -> false;
            case STRIPED_ADAMW -> p.shape().size() == 2;
            case ADAFACTOR -> true; // it has a form for vectors
            case MUON -> p.role() == Role.MATRIX;
        };
    }

    /** The rate of {@code p} where {@code optimizer.learningRate} is {@code rate}. */
    static double rate(OptimizerSpec spec, Parameter p, double rate) {
        double own =
                switch (p.role()) {
                    case EMBEDDING -> spec.embeddingRate();
                    case HEAD -> spec.headRate();
                    case SCALAR -> spec.scalarRate();
                    case MATRIX -> 0;
                };
        return own == 0 ? rate : rate * (own / spec.learningRate());
    }

    /**
     * One update from the replica's gradients.
     *
     * @param learningRate of this step, where a group has none of its own; groups that have keep their proportion to it
     * @param gradientScale multiplies the gradients first (clipping)
     * @param step counts from 1
     */
    public void update(double learningRate, double gradientScale, long step) {
        Step told = new Step(learningRate, gradientScale, step);
        replica.update((device, from, to) -> rules.forEach(rule -> rule.update(device, from, to, told)));
    }

    /** All that is kept from step to step. */
    public List<State> state() {
        return rules.stream().flatMap(rule -> rule.state().stream()).toList();
    }
}
