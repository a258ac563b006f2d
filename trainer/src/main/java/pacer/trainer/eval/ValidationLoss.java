package pacer.trainer.eval;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.OptionalDouble;
import java.util.function.BooleanSupplier;
import java.util.function.LongConsumer;
import pacer.trainer.data.TokenLoader;
import pacer.trainer.dist.Collectives;
import pacer.trainer.model.Replica;

/** Mean cross-entropy over a set of windows, measured in micro-batches of the model's shape, divided over ranks. */
public final class ValidationLoss {
    private static final int IGNORED = -1;

    private final Replica replica;
    private final Collectives ranks;
    private final MemorySegment inputs; // (B, T) int32
    private final MemorySegment targets;

    public ValidationLoss(Replica replica, Collectives ranks) {
        this.replica = replica;
        this.ranks = ranks;
        long tokens = (long) replica.sequences() * replica.length();
        this.inputs = Arena.ofAuto().allocate(4 * tokens, 64);
        this.targets = Arena.ofAuto().allocate(4 * tokens, 64);
    }

    /**
     * Measures samples {@code first} … {@code first + windows} of {@code loader}, unless {@code stop} ends it before.
     *
     * @param stop asked between batches, equally often on every rank; must answer all ranks the same
     * @param measured hears after each of this rank's batches how many windows all ranks have measured
     * @return nats a token, or nothing when it was given up
     */
    public OptionalDouble measure(
            TokenLoader loader, long first, long windows, BooleanSupplier stop, LongConsumer measured) {
        int length = replica.length();
        double sum = 0;
        long batch = replica.sequences();
        // a window is measured at the same place of the same batch whatever the number of ranks
        for (long round = 0; round < windows; round += ranks.size() * batch) {
            if (round > 0 && stop.getAsBoolean()) {
                return OptionalDouble.empty();
            }
            long start = round + ranks.rank() * batch;
            if (start >= windows) {
                continue; // asks on, as the other ranks do
            }
            for (int b = 0; b < batch; b++) {
                long offset = 4L * b * length;
                if (start + b < windows) {
                    loader.window(first + start + b, length, inputs, targets, offset);
                } else {
                    inputs.asSlice(offset, 4L * length).fill((byte) 0);
                    for (int t = 0; t < length; t++) {
                        targets.set(ValueLayout.JAVA_INT, offset + 4L * t, IGNORED);
                    }
                }
            }
            sum += replica.loss(inputs, targets);
            measured.accept(Math.min(windows, round + ranks.size() * batch));
        }
        return OptionalDouble.of(ranks.allReduce(sum) / ((double) windows * length));
    }
}
