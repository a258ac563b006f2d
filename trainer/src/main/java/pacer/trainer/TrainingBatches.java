package pacer.trainer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import pacer.trainer.data.BadDataException;
import pacer.trainer.data.TokenLoader;
import pacer.trainer.spec.RunSpec;

/**
 * A rank's share of each step's batch, in micro-batches. The sequences of step s are samples s·N … (s+1)·N of the loader,
 * divided over ranks in order: the batch is the same at every number of ranks.
 */
final class TrainingBatches {
    private final TokenLoader loader;
    private final int length;
    private final int sequencesAStep;
    private final int sequencesARank;
    private final int microBatch;
    private final int rank;
    private final MemorySegment inputs; // (microBatch, T) int32
    private final MemorySegment targets;

    TrainingBatches(RunSpec spec, TokenLoader loader, int rank) {
        this.loader = loader;
        this.length = spec.model().sequenceLength();
        this.sequencesAStep = spec.train().batchTokens() / length;
        this.sequencesARank = spec.sequencesARank();
        this.microBatch = spec.sequencesAtOnce();
        this.rank = rank;
        Arena arena = Arena.ofAuto();
        this.inputs = arena.allocate(4L * microBatch * length, 64);
        this.targets = arena.allocate(4L * microBatch * length, 64);
    }

    /** A process started for another number of ranks than the spec's would divide the batch wrongly. */
    static void requireRanks(RunSpec spec, int ranks) {
        if (spec.train().ranks() != ranks) {
            throw new BadDataException(
                    "--ranks " + ranks + ": train.ranks is " + spec.train().ranks() + "; they must be equal");
        }
    }

    int microSteps() {
        return sequencesARank / microBatch;
    }

    /** Samples consumed by {@code steps} steps, over all ranks. */
    long samples(int steps) {
        return (long) steps * sequencesAStep;
    }

    /** Place in the whole batch of the first sequence of micro-step {@code micro}. */
    int firstSequence(int micro) {
        return rank * sequencesARank + micro * microBatch;
    }

    /** Loads micro-step {@code micro} of step {@code step} (from 0). */
    void load(int step, int micro) {
        long first = samples(step) + firstSequence(micro);
        for (int b = 0; b < microBatch; b++) {
            loader.window(first + b, length, inputs, targets, 4L * b * length);
        }
    }

    MemorySegment inputs() {
        return inputs;
    }

    MemorySegment targets() {
        return targets;
    }
}
