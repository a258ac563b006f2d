package pacer.trainer.data;

import java.lang.foreign.MemorySegment;

/**
 * Every window once an epoch, in an order drawn anew each epoch by a {@link Permutation} over the windows of all
 * shards. The windows of a shard follow each other without a gap, from a first token that is drawn anew each epoch
 * too, so that later epochs cut the text at other places.
 */
public final class ShuffledLoader implements TokenLoader {
    /** A shard of fewer windows gives up none of them for the sake of its first token. */
    private static final int MANY = 64;

    private final TokenShards shards;
    private final WindowCounter counter;
    private final long seed;

    public ShuffledLoader(TokenShards shards, long seed) {
        this.shards = shards;
        this.counter = new WindowCounter(shards, ShuffledLoader::windows);
        this.seed = seed;
    }

    @Override
    public void window(long sample, int length, MemorySegment inputs, MemorySegment targets, long offset) {
        Windows windows = counter.of(length);
        long epoch = sample / windows.count();
        long key = CounterRandom.bits(seed, epoch);
        long index = new Permutation(windows.count(), key).at(sample % windows.count());
        int shard = windows.shard(index);
        long start = start(shards.shard(shard).tokens(), length, key, shard);
        windows.copy(shard, start + windows.within(shard, index) * length, inputs, targets, offset);
    }

    /** Windows of {@code length} tokens in an epoch. */
    public long windowsPerEpoch(int length) {
        return counter.of(length).count();
    }

    /** Windows of a shard in each epoch, wherever the first begins. */
    private static long windows(long tokens, int length) {
        long most = (tokens - 1) / length;
        return most < MANY ? most : (tokens - length) / length;
    }

    /** First token of a shard's first window in the epoch of {@code key}. */
    private static long start(long tokens, int length, long key, int shard) {
        long unused = tokens - 1 - windows(tokens, length) * length;
        return CounterRandom.below(Math.min(unused + 1, length), key, -1L - shard);
    }

    @Override
    public long tokens() {
        return shards.tokens();
    }
}
