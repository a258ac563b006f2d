package pacer.trainer.text;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.function.LongConsumer;
import pacer.trainer.data.Split;
import pacer.trainer.text.Tokenization.Shard;

/**
 * Cuts a file that is uint16 tokens and nothing else, as nanoGPT writes them, into shards with header.
 *
 * @param file of whole tokens, see {@link pacer.trainer.data.TokenShard#openHeaderless}
 * @param shardTokens tokens of a shard; the last has what is left
 * @param most shards to write, from the beginning of the file
 */
public record HeaderlessTokens(Path file, int shardTokens, int most) {
    private static final int BUFFER = 1 << 20;

    /**
     * Writes the shards of {@code split} into {@code folder}. When it fails, none of them stays.
     *
     * @param listener hears how many bytes of the file are read; ends it by throwing
     * @throws InterruptedException if the thread is interrupted
     */
    public List<Shard> cut(Split split, Path folder, LongConsumer listener) throws IOException, InterruptedException {
        try (FileChannel in = FileChannel.open(file, StandardOpenOption.READ);
                ShardSeries series = new ShardSeries(folder, shardTokens)) {
            long bytes = Math.min(in.size(), 2L * shardTokens * most);
            series.begin(split);
            long[] read = {0};
            read(in, 0, bytes, tokens -> {
                series.write(tokens);
                listener.accept(read[0] += 2L * tokens.size());
            });
            series.end();
            series.keep();
            return series.shards();
        } catch (EOFException e) {
            throw new IOException(file + ": " + e.getMessage(), e);
        } catch (ClosedByInterruptException e) {
            Thread.interrupted(); // said by the exception from here on
            throw new InterruptedException("interrupted while reading " + file);
        }
    }

    /** Takes tokens as they come. */
    interface Sink {
        void take(TokenBuffer tokens) throws IOException;
    }

    /** Reads the tokens that are bytes {@code from} to {@code to} (exclusive) of {@code in}. */
    static void read(FileChannel in, long from, long to, Sink sink) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(BUFFER).order(ByteOrder.LITTLE_ENDIAN);
        for (long at = from; at < to; ) {
            buffer.clear().limit((int) Math.min(BUFFER, to - at));
            while (buffer.hasRemaining()) {
                if (in.read(buffer, at + buffer.position()) < 0) {
                    throw new EOFException("it became shorter while it was read");
                }
            }
            at += buffer.limit();
            sink.take(tokens(buffer.flip().asCharBuffer()));
        }
    }

    private static TokenBuffer tokens(CharBuffer chars) {
        TokenBuffer tokens = new TokenBuffer(chars.remaining());
        while (chars.hasRemaining()) {
            tokens.add(chars.get());
        }
        return tokens;
    }
}
