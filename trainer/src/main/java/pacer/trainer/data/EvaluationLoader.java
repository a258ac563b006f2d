package pacer.trainer.data;

import java.lang.foreign.MemorySegment;
import pacer.trainer.data.Windows.Rule;

/**
 * A fixed set of windows, disjoint, spread evenly over the data or the first of them: the same ones at each evaluation, so that losses
 * of two steps or two runs can be compared. With all tokens it is every consecutive window.
 */
public final class EvaluationLoader implements TokenLoader {
    private final Windows consecutive;
    private final long windows;
    private final boolean spread;

    /**
     * Chooses the windows.
     *
     * @param length tokens of a window
     * @param tokens tokens to evaluate on, rounded down to whole windows; 0 takes all
     * @param spread whether they are spread evenly over the data, else they are the first
     * @throws BadDataException if there are not as many, or fewer than a window
     */
    public EvaluationLoader(TokenShards shards, int length, long tokens, boolean spread) {
        this.spread = spread;
        this.consecutive = new Windows(shards, length, Rule.CONSECUTIVE);
        this.windows = tokens == 0 ? consecutive.count() : tokens / length;
        if (windows < 1 || windows > consecutive.count()) {
            throw new BadDataException(
                    ("%s: evaluation.tokens is %d, but the validation data hold %d to %d tokens in whole "
                                    + "windows of %d; set it in between, or to 0 for all")
                            .formatted(shards.shard(0).file(), tokens, length, consecutive.count() * length, length));
        }
    }

    /** Number of windows; samples are 0 to this (exclusive). */
    public long windows() {
        return windows;
    }

    @Override
    public void window(long sample, int length, MemorySegment inputs, MemorySegment targets, long offset) {
        if (length != consecutive.length() || sample < 0 || sample >= windows) {
            throw new IndexOutOfBoundsException("window %d of %d, of %d tokens where the set has %d"
                    .formatted(sample, windows, length, consecutive.length()));
        }
        long index = spread ? Math.multiplyExact(sample, consecutive.count()) / windows : sample;
        int shard = consecutive.shard(index);
        consecutive.copy(shard, consecutive.within(shard, index) * length, inputs, targets, offset);
    }

    @Override
    public long tokens() {
        return windows * consecutive.length();
    }
}
