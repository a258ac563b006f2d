package pacer.trainer.text;

import java.util.ArrayList;
import java.util.List;
import pacer.trainer.data.Split;
import pacer.trainer.data.TokenShard;

/**
 * A shard as it is to be joined from pieces: tokens of parts, in their order.
 *
 * @param index of the shard in its split
 */
public record ShardPlan(Split split, int index, long tokens, List<Slice> slices) {
    /** Tokens {@code from} to {@code to} (exclusive) of the piece of the part {@code part}. */
    public record Slice(int part, long from, long to) {
        long firstByte() {
            return TokenShard.HEADER_BYTES + 2 * from;
        }

        long endByte() {
            return TokenShard.HEADER_BYTES + 2 * to;
        }
    }

    public ShardPlan {
        slices = List.copyOf(slices);
    }

    public String name() {
        return split.shardName(index);
    }

    /**
     * The shards of all pieces: each full before the next begins, the last of a split with what is left, as {@link Tokenization} cuts them.
     *
     * @param splits of each piece
     * @param tokens of each piece
     */
    public static List<ShardPlan> of(List<Split> splits, List<Long> tokens, int shardTokens) {
        List<ShardPlan> shards = new ArrayList<>();
        for (Split split : Split.values()) {
            List<Slice> slices = new ArrayList<>();
            long room = shardTokens;
            int index = 0;
            for (int part = 0; part < tokens.size(); part++) {
                for (long from = 0; splits.get(part) == split && from < tokens.get(part); ) {
                    long to = Math.min(tokens.get(part), from + room);
                    slices.add(new Slice(part, from, to));
                    room -= to - from;
                    from = to;
                    if (room == 0) {
                        shards.add(new ShardPlan(split, index++, shardTokens, slices));
                        slices = new ArrayList<>();
                        room = shardTokens;
                    }
                }
            }
            if (!slices.isEmpty()) {
                shards.add(new ShardPlan(split, index, shardTokens - room, slices));
            }
        }
        return shards;
    }
}
