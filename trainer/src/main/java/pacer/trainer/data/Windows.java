package pacer.trainer.data;

import java.lang.foreign.MemorySegment;

/** All windows of one length in the shards, numbered shard by shard. */
final class Windows {
    private final TokenShards shards;
    private final int length;
    private final long[] upTo; // windows in shards 0 to s

    /** How many windows of {@code length} a shard of {@code tokens} &gt; {@code length} tokens holds. */
    interface Rule {
        /** Windows that lie one after the other; the last target needs one token more. */
        Rule CONSECUTIVE = (tokens, length) -> (tokens - 1) / length;

        /** Windows at every token that leaves room for one. */
        Rule ANYWHERE = (tokens, length) -> tokens - length;

        long windows(long tokens, int length);
    }

    /** Counts windows; shards too short for one have none. */
    Windows(TokenShards shards, int length, Rule rule) {
        if (length < 1) {
            throw new IllegalArgumentException("a window of " + length + " tokens");
        }
        shards.requireWindow(length);
        this.shards = shards;
        this.length = length;
        this.upTo = new long[shards.count()];
        long sum = 0;
        for (int s = 0; s < upTo.length; s++) {
            long tokens = shards.shard(s).tokens();
            sum += tokens > length ? rule.windows(tokens, length) : 0;
            upTo[s] = sum;
        }
    }

    int length() {
        return length;
    }

    /** Number of all windows, at least 1. */
    long count() {
        return upTo[upTo.length - 1];
    }

    /** The shard of window {@code index}. */
    int shard(long index) {
        int low = 0;
        int high = upTo.length - 1;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (upTo[middle] > index) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }

    /** The place of window {@code index} among the windows of its shard. */
    long within(int shard, long index) {
        return shard == 0 ? index : index - upTo[shard - 1];
    }

    /** Copies a window, see {@link TokenShard#window}. */
    void copy(int shard, long first, MemorySegment inputs, MemorySegment targets, long offset) {
        shards.shard(shard).window(first, length, shards.vocabulary(), inputs, targets, offset);
    }
}
