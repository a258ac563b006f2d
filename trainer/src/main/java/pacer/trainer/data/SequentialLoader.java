package pacer.trainer.data;

import java.lang.foreign.MemorySegment;
import pacer.trainer.data.Windows.Rule;

/**
 * Windows one after the other, shard by shard, and from the start again after the last, as llm.c reads its shards.
 * Each window begins at the token where the one before it ended, and at the first token of a new shard. Unlike llm.c,
 * which leaves out what does not fill a whole batch of all ranks, only what fills no window is left out, so the order
 * does not depend on the batch.
 */
public final class SequentialLoader implements TokenLoader {
    private final TokenShards shards;
    private final WindowCounter consecutive;

    public SequentialLoader(TokenShards shards) {
        this.shards = shards;
        this.consecutive = new WindowCounter(shards, Rule.CONSECUTIVE);
    }

    @Override
    public void window(long sample, int length, MemorySegment inputs, MemorySegment targets, long offset) {
        Windows windows = consecutive.of(length);
        long index = sample % windows.count();
        int shard = windows.shard(index);
        windows.copy(shard, windows.within(shard, index) * length, inputs, targets, offset);
    }

    /** Windows of {@code length} tokens until the data begins anew. */
    public long windowsPerEpoch(int length) {
        return consecutive.of(length).count();
    }

    @Override
    public long tokens() {
        return shards.tokens();
    }
}
