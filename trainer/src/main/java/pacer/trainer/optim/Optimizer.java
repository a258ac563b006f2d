package pacer.trainer.optim;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import pacer.trainer.dist.Collectives;
import pacer.trainer.dist.Partition;
import pacer.trainer.dist.Partition.Piece;
import pacer.trainer.model.Parameter;
import pacer.trainer.model.Replica;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Tensor;
import pacer.trainer.spec.OptimizerSpec;

/**
 * Update rules at work on a replica's parameters: each kind of parameter by its rule; every rank its part of them where the state is divided, and
 * every lane a part of that.
 */
public final class Optimizer {
    private final Replica replica;
    private final Sharding sharding;
    private final Partition partition;
    private final List<List<Piece>> lanes; // of this rank's part of the gradients
    private final List<Rule> rules;

    private Optimizer(Replica replica, Sharding sharding, Partition partition, List<Rule> rules) {
        this.replica = replica;
        this.sharding = sharding;
        this.partition = partition;
        this.lanes = Division.divided(partition.shards().get(sharding.rank()), replica.lanes());
        this.rules = rules;
    }

    /**
     * What is kept beside a parameter, or beside a part of it.
     *
     * @param name as checkpoints have it, such as PyTorch's {@code exp_avg.} and the parameter's name
     * @param from first element that is here
     * @param of elements of the whole, on all ranks
     */
    public record State(String name, Tensor tensor, long from, long of) {
        static State whole(String name, Tensor tensor) {
            return new State(name, tensor, 0, tensor.size());
        }
    }

    /** What all rules are told of a step: {@code number} counts from 1. */
    record Step(double learningRate, double gradientScale, long number) {}

    /** A rule and the parameters that it is for. */
    interface Rule {
        /** Updates a lane's part of its parameters. */
        void update(int lane, Device device, Step step);

        List<State> state();
    }

    /** Plans the rules of {@code spec} for {@code replica}, which has all state; it is zero. */
    public static Optimizer of(Replica replica, OptimizerSpec spec) {
        return of(replica, spec, Sharding.NONE);
    }

    /** Plans a rank's part of the rules of {@code spec} for {@code replica}; their state is zero. */
    public static Optimizer of(Replica replica, OptimizerSpec spec, Sharding sharding) {
        Division division = Division.of(replica.parameters(), spec, sharding.ranks());
        List<Division.Whole> whole = division.whole().get(sharding.rank());
        List<Rule> rules = new ArrayList<>();
        switch (spec.type()) {
            case ADAMW -> {}
            case STRIPED_ADAMW -> rules.add(WholeParameters.striped(replica, spec, whole));
            case ADAFACTOR -> rules.add(WholeParameters.adafactor(replica, spec, whole));
            case MUON -> rules.add(WholeParameters.muon(replica, spec, whole));
        }
        rules.add(new AdamWRule(replica, spec, division.elements().get(sharding.rank())));
        return new Optimizer(replica, sharding, division.partition(), List.copyOf(rules));
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
     * Sums the replicas' gradients over ranks: all of them where every rank has all state, else this rank's part, and what is no rank's part is of no use
     * afterwards.
     */
    public void reduceGradients(Collectives ranks) {
        if (!isSharded()) {
            ranks.allReduce(replica.gradients());
        } else {
            ranks.reduceScatter(replica.gradients(), partition);
        }
    }

    /** Global norm of the gradients that {@link #reduceGradients} has summed. */
    public double gradientNorm(Collectives ranks) {
        if (!isSharded()) {
            return replica.gradientNorm();
        }
        double[] squares = new double[lanes.size()];
        replica.onLanes((lane, device) -> {
            for (Piece piece : lanes.get(lane)) {
                squares[lane] += device.operations().sumOfSquares(replica.gradients(), piece.from(), piece.to());
            }
        });
        return Math.sqrt(ranks.allReduce(Arrays.stream(squares).sum()));
    }

    /**
     * One update from the replica's gradients, of the parameters that are this rank's.
     *
     * @param learningRate of this step, where a group has none of its own; groups that have keep their proportion to it
     * @param gradientScale multiplies the gradients first (clipping)
     * @param step counts from 1
     */
    public void update(double learningRate, double gradientScale, long step) {
        Step told = new Step(learningRate, gradientScale, step);
        replica.onLanes((lane, device) -> rules.forEach(rule -> rule.update(lane, device, told)));
        if (!isSharded()) {
            replica.weightsChanged();
        }
    }

    /** After {@link #update}: every rank gets the parameters that others have updated. */
    public void gatherWeights(Collectives ranks) {
        if (isSharded()) {
            ranks.allGather(replica.weights(), partition);
            replica.weightsChanged();
        }
    }

    /** Whether other ranks keep other parts of the state. */
    public boolean isSharded() {
        return sharding.ranks() > 1;
    }

    /** All that this rank keeps from step to step. */
    public List<State> state() {
        return rules.stream().flatMap(rule -> rule.state().stream()).toList();
    }
}
