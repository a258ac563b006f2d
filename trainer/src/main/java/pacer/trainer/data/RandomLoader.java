package pacer.trainer.data;

import java.lang.foreign.MemorySegment;
import pacer.trainer.data.Windows.Rule;

/**
 * Windows at uniformly random places, with replacement, as nanoGPT's {@code get_batch}: a window may begin at each
 * token that leaves room for it and its last target. The place is a hash of seed and sample.
 */
public final class RandomLoader implements TokenLoader {
    private final TokenShards shards;
    private final WindowCounter places;
    private final long seed;

    public RandomLoader(TokenShards shards, long seed) {
        this.shards = shards;
        this.places = new WindowCounter(shards, Rule.ANYWHERE);
        this.seed = seed;
    }

    @Override
    public void window(long sample, int length, MemorySegment inputs, MemorySegment targets, long offset) {
        Windows windows = places.of(length);
        long place = CounterRandom.below(windows.count(), seed, sample);
        int shard = windows.shard(place);
        windows.copy(shard, windows.within(shard, place), inputs, targets, offset);
    }

    @Override
    public long tokens() {
        return shards.tokens();
    }
}
