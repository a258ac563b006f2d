package pacer.activities.dataset;

import java.util.List;
import pacer.trainer.data.Split;
import pacer.trainer.spec.DatasetSpec;
import pacer.trainer.text.ShardPlan;
import pacer.trainer.text.Tokenization.Shard;

/**
 * A dataset that several hosts make together: what its workflow knows of it.
 *
 * @param hash names it
 * @param dataset its raw file pinned
 * @param host that found out
 * @param bound whether that one alone has the raw file, or folders of mirrors
 * @param store where hosts share it: a worker of another store must not take part
 * @param parallel how many parts are worked on at once
 * @param files of a catalogue; 0 of a text
 * @param ready the dataset, where the store has it already; else null
 */
public record Preparation(
        String hash,
        DatasetSpec dataset,
        String host,
        boolean bound,
        String store,
        int parallel,
        int files,
        DatasetResult ready) {

    /**
     * How a text is divided.
     *
     * @param plan digest of the plan in the store; null where there is none
     * @param parts how many there are
     * @param bytes of all parts
     * @param shardTokens tokens of a shard
     * @param ready the dataset, where it was made at once as it is small, or was there; else null
     */
    public record Division(String plan, int parts, long bytes, int shardTokens, DatasetResult ready) {}

    /** Asks for the division of a text. */
    public record DivideRequest(Preparation of) {}

    /** Asks for the tokens of part {@code index}. */
    public record PartRequest(Preparation of, String plan, int index) {}

    /**
     * The tokens of a part, in the store.
     *
     * @param from first byte of the part
     * @param to byte after its last
     * @param bytes of the piece; 0 where the part has no tokens, and there is none
     */
    public record Piece(Split split, long from, long to, long tokens, long bytes, String sha256) {}

    /** Asks for a shard joined of {@code pieces}, those of the plan's slices in their order. */
    public record JoinRequest(Preparation of, ShardPlan shard, List<Piece> pieces) {}

    /** Asks for file {@code index} of a catalogue. */
    public record FileRequest(Preparation of, int index) {}

    /**
     * A file of a catalogue whose shards are in the store.
     *
     * @param trusted whether nothing was known of its digest before
     */
    public record BroughtFile(String sha256, long bytes, boolean trusted, List<Shard> shards) {}

    /**
     * Asks for the manifest.
     *
     * @param plan of a text; else null
     * @param files of a catalogue; else empty
     * @param shards all of them
     */
    public record FinishRequest(Preparation of, String plan, List<BroughtFile> files, List<Shard> shards) {}
}
