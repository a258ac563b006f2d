package pacer.trainer.data;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;

/**
 * The first 1,024 bytes of a token shard: 256 little-endian int32, of which the first three say magic, version and
 * number of tokens and the rest are 0 (llm.c, {@code dev/data/data_common.py}).
 */
final class ShardHeader {
    static final int BYTES = 1024;
    static final int MAGIC = 20240520;
    static final int VERSION = 1;
    private static final String ORIGIN = "a token shard of llm.c, modded-nanogpt or pacer";

    private ShardHeader() {}

    /** A header for {@code tokens} tokens, ready to be read. */
    static ByteBuffer of(int tokens) {
        return ByteBuffer.allocate(BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(0, MAGIC)
                .putInt(4, VERSION)
                .putInt(8, tokens);
    }

    /** Whether a file that begins with these 4 bytes has a header. */
    static boolean isAt(ByteBuffer start) {
        return start.order(ByteOrder.LITTLE_ENDIAN).getInt(0) == MAGIC;
    }

    /** Number of tokens, once header and size of {@code file} are found to be right. */
    static int tokens(Path file, ByteBuffer header, long size) {
        header.order(ByteOrder.LITTLE_ENDIAN);
        int magic = header.getInt(0);
        if (magic == Integer.reverseBytes(MAGIC)) {
            throw new BadDataException(file + ": byte 0: the header is big-endian; token shards are little-endian,"
                    + " write it again as such");
        }
        if (magic != MAGIC) {
            throw new BadDataException(("%s: byte 0: magic number %d, where %s has %d; "
                            + "read a headerless file of nanoGPT as such (named train.bin or val.bin)")
                    .formatted(file, magic, ORIGIN, MAGIC));
        }
        int version = header.getInt(4);
        if (version != VERSION) {
            throw new BadDataException(
                    "%s: byte 4: version %d of the shard format; only version %d (uint16 tokens) is known"
                            .formatted(file, version, VERSION));
        }
        int tokens = header.getInt(8);
        if (tokens <= 0) {
            throw new BadDataException("%s: byte 8: a count of %d tokens; it must be 1 to %d"
                    .formatted(file, tokens, Integer.MAX_VALUE));
        }
        long expected = BYTES + 2L * tokens;
        if (size != expected) {
            throw new BadDataException(
                    ("%s: byte 8: the header counts %d tokens, which make %d bytes, but the file has %d "
                                    + "(%s); fetch or write it again")
                            .formatted(file, tokens, expected, size, size < expected ? "cut short" : "too long"));
        }
        return tokens;
    }
}
