package pacer.trainer.text;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Arrays;

/**
 * Divides a region of a file into blocks, in order, each ending where a {@link Cut} allows it. Holds one block,
 * whatever the size of the file.
 */
final class BlockReader {
    private final FileChannel channel;
    private final long to;
    private final Cut cut;
    private final int blockBytes;
    private long offset; // of the next block
    private byte[] carried = {}; // its bytes that are read already

    /** Reads bytes {@code from} to {@code to} (exclusive) in blocks of about {@code blockBytes}. */
    BlockReader(FileChannel channel, long from, long to, Cut cut, int blockBytes) {
        this.channel = channel;
        this.offset = from;
        this.to = to;
        this.cut = cut;
        this.blockBytes = blockBytes;
    }

    /** Where in the file the next block begins. */
    long offset() {
        return offset;
    }

    /**
     * The next block, or null after the last.
     *
     * @throws BadTextException if there is no place to cut within the limit
     */
    Block next() throws IOException {
        if (offset == to) {
            return null;
        }
        byte[] bytes = Arrays.copyOf(carried, Math.max(blockBytes, carried.length));
        int length = carried.length;
        while (true) {
            int wanted = (int) Math.min(bytes.length, to - offset);
            length = fill(bytes, length, wanted);
            int end = offset + length == to ? length : cut.last(bytes, length);
            if (end > 0) {
                carried = Arrays.copyOfRange(bytes, end, length);
                Block block = new Block(bytes, end, offset);
                offset += end;
                return block;
            }
            if (bytes.length >= cut.limit()) {
                throw new BadTextException(0, cut.tooLong());
            }
            bytes = Arrays.copyOf(bytes, Math.min(cut.limit(), 2 * bytes.length));
        }
    }

    private int fill(byte[] bytes, int length, int wanted) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(bytes, length, wanted - length);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, offset + buffer.position()) < 0) {
                throw new BadTextException(
                        0, "the file ends here, but was longer when tokenization began; leave it alone meanwhile");
            }
        }
        return wanted;
    }
}
