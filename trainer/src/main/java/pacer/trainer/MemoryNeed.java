package pacer.trainer;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.Locale;
import pacer.trainer.data.BadDataException;
import pacer.trainer.model.Engine;
import pacer.trainer.model.Parameters;
import pacer.trainer.model.Replica;
import pacer.trainer.optim.Optimizer;
import pacer.trainer.spec.ModelSpec;
import pacer.trainer.spec.RunSpec;

/**
 * What a rank holds in memory while it trains, known before anything is allocated.
 *
 * @param parameters bytes of weights, gradients and what the optimizer keeps
 * @param activations bytes of everything else
 */
record MemoryNeed(long parameters, long activations) {
    /** Less than this every machine has: not worth asking. */
    private static final long LITTLE = 1L << 30;

    static MemoryNeed of(RunSpec spec, Engine engine) {
        ModelSpec model = spec.model();
        int sequences = TrainingBatches.microBatch(spec);
        long weightsAndGradients = Parameters.of(model).elements() * (4 + 4L * engine.lanes(model, sequences));
        try (Replica plan = engine.plan(model, sequences, model.sequenceLength())) {
            long without = plan.plannedBytes();
            Optimizer _ = Optimizer.of(plan, spec.optimizer());
            return new MemoryNeed(weightsAndGradients + plan.plannedBytes() - without, without - weightsAndGradients);
        }
    }

    long bytes() {
        return parameters + activations;
    }

    /**
     * Ends a training that could only thrash.
     *
     * @throws BadDataException saying what takes how much, and what to lower
     */
    static void require(RunSpec spec, Engine engine) {
        MemoryNeed need = of(spec, engine);
        if (spec.train().ranks() * need.bytes() > LITTLE) {
            need.requireIn(
                    ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getTotalMemorySize(),
                    spec.train().ranks());
        }
    }

    /** @param ranks that share {@code memory}, each with all of this */
    void requireIn(long memory, int ranks) {
        if (ranks * bytes() > memory) {
            String each =
                    ranks == 1 ? "" : ", each of its %d ranks (train.ranks) %s".formatted(ranks, gigabytes(bytes()));
            throw new BadDataException(
                    ("training needs %s of memory, this machine has %s%s: %s for weights, gradients and moments"
                                    + " (lower model.layers or model.width), %s for activations (lower train.microBatch or"
                                    + " model.sequenceLength)")
                            .formatted(
                                    gigabytes(ranks * bytes()),
                                    gigabytes(memory),
                                    each,
                                    gigabytes(parameters),
                                    gigabytes(activations)));
        }
    }

    private static String gigabytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f GB", bytes / 1e9);
    }
}
