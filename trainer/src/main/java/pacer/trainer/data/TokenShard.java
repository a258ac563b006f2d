package pacer.trainer.data;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;

/**
 * A file of uint16 little-endian tokens, mapped into memory. {@link #open} reads the format of llm.c and
 * modded-nanogpt, with a header; {@link #openHeaderless} reads nanoGPT's, which is tokens and nothing else. A file
 * does not choose between the two by its content, because a damaged header would then be read as tokens: the caller
 * says which it is.
 *
 * <p>Of a file that is cut short while it is mapped, the rest of the last page reads as zeros, and what lay beyond
 * makes the processor fault (SIGBUS), which the JVM turns into an {@link InternalError}, by its specification perhaps
 * only after a loop has gone on over made-up values. So every read is followed by a look at the file's size, and
 * counts only if the size is still the one that was mapped; a shorter file ends as {@link BadDataException}. A change
 * that keeps the size is what the SHA-256 in a dataset's manifest is for.
 *
 * <p>Safe for use by several threads.
 */
public final class TokenShard implements AutoCloseable {
    /** Of a shard those that are no tokens. */
    public static final int HEADER_BYTES = ShardHeader.BYTES;

    private static final ValueLayout.OfShort UINT16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Path file;
    private final FileChannel channel;
    private final Arena arena;
    private final MemorySegment tokens;
    private final long size;

    private TokenShard(Path file, FileChannel channel, boolean header) throws IOException {
        this.file = file;
        this.channel = channel;
        this.size = channel.size();
        long first = header ? ShardHeader.BYTES : 0;
        requireFormat(header);
        this.arena = Arena.ofShared();
        try {
            this.tokens = channel.map(FileChannel.MapMode.READ_ONLY, first, size - first, arena);
        } catch (IOException | RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    private void requireFormat(boolean header) throws IOException {
        if (size == 0) {
            throw new BadDataException(file + ": the file is empty; fetch or write it again");
        }
        ByteBuffer start = ByteBuffer.allocate(header ? ShardHeader.BYTES : 4);
        while (start.hasRemaining() && channel.read(start, start.position()) >= 0) {}
        if (header && start.hasRemaining()) {
            throw new BadDataException("%s: %d bytes; a token shard begins with a header of %d; fetch or write it again"
                    .formatted(file, start.position(), ShardHeader.BYTES));
        }
        if (header) {
            ShardHeader.tokens(file, start, size);
        } else if (!start.hasRemaining() && ShardHeader.isAt(start)) {
            throw new BadDataException(
                    file + ": byte 0: the file has a header of llm.c; read it as a shard with header");
        } else if (size % 2 != 0) {
            throw new BadDataException(
                    "%s: %d bytes; uint16 tokens take an even number; fetch or write it again".formatted(file, size));
        }
    }

    /**
     * Maps a shard with header.
     *
     * @throws BadDataException if the file is missing, no regular file, or not a whole token shard
     * @throws UncheckedIOException if the disk fails
     */
    public static TokenShard open(Path file) {
        return open(file, true);
    }

    /**
     * Maps a file that is nothing but tokens.
     *
     * @throws BadDataException if the file is missing, no regular file, empty, of odd size, or has a header after all
     */
    public static TokenShard openHeaderless(Path file) {
        return open(file, false);
    }

    private static TokenShard open(Path file, boolean header) {
        FileChannel channel = null;
        try {
            // opening a FIFO would wait for a writer, so look first
            if (!Files.readAttributes(file, BasicFileAttributes.class).isRegularFile()) {
                throw new BadDataException(
                        file + ": not a regular file; token shards are mapped into memory, which a folder,"
                                + " FIFO or device does not allow");
            }
            channel = FileChannel.open(file, StandardOpenOption.READ);
            return new TokenShard(file, channel, header);
        } catch (IOException | RuntimeException e) {
            closeQuietly(channel, e);
            throw switch (e) {
                case BadDataException bad -> bad;
                case NoSuchFileException none ->
                    new BadDataException(file + ": no such file; a token shard is expected there", none);
                case AccessDeniedException denied ->
                    new BadDataException(file + ": may not be read; give this user the right to", denied);
                case IOException io -> failed(file, io);
                default -> (RuntimeException) e;
            };
        }
    }

    public Path file() {
        return file;
    }

    /** Number of tokens. */
    public long tokens() {
        return tokens.byteSize() / 2;
    }

    /**
     * Copies tokens {@code first} to {@code first + length} as int32: all but the last to {@code inputs}, all but the
     * first to {@code targets}, each from byte {@code offset} on.
     *
     * @throws BadDataException if a token is {@code vocabulary} or more, or the file was cut short since it was
     *     opened
     */
    public void window(
            long first, int length, int vocabulary, MemorySegment inputs, MemorySegment targets, long offset) {
        if (first < 0 || length < 1 || first + length >= tokens()) {
            throw new IndexOutOfBoundsException(
                    "tokens %d to %d of the %d in %s".formatted(first, first + length, tokens(), file));
        }
        requireWhole();
        if (copy(first, length, inputs, targets, offset) >= vocabulary) {
            throw beyondVocabulary(first, length + 1L, vocabulary);
        }
    }

    /**
     * Reads every token.
     *
     * @throws BadDataException if one is {@code vocabulary} or more, or the file was cut short since it was opened
     */
    public void check(int vocabulary) {
        long step = 1 << 20;
        for (long first = 0; first < tokens(); first += step) {
            long count = Math.min(step, tokens() - first);
            requireWhole();
            if (max(first, count) >= vocabulary) {
                throw beyondVocabulary(first, count, vocabulary);
            }
        }
    }

    /** Copies a window without looking at the file's size beforehand, and returns its greatest token. */
    int copy(long first, int length, MemorySegment inputs, MemorySegment targets, long offset) {
        try {
            int token = token(first);
            int max = token;
            for (int i = 0; i < length; i++) {
                inputs.set(JAVA_INT_UNALIGNED, offset + 4L * i, token);
                token = token(first + i + 1);
                targets.set(JAVA_INT_UNALIGNED, offset + 4L * i, token);
                max = Math.max(max, token);
            }
            requireWhole();
            return max;
        } catch (InternalError e) {
            throw cutShort(e);
        }
    }

    private int max(long first, long count) {
        try {
            int max = 0;
            for (long i = first; i < first + count; i++) {
                max = Math.max(max, token(i));
            }
            requireWhole();
            return max;
        } catch (InternalError e) {
            throw cutShort(e);
        }
    }

    private int token(long index) {
        return Short.toUnsignedInt(tokens.get(UINT16, 2 * index));
    }

    private void requireWhole() {
        try {
            if (channel.size() < size) {
                throw cutShort(null);
            }
        } catch (IOException e) {
            throw failed(file, e);
        }
    }

    private BadDataException cutShort(InternalError fault) {
        return new BadDataException(
                ("%s: was %d bytes long when it was opened and was cut short since; "
                                + "leave shards alone while they are in use, and fetch or write it again")
                        .formatted(file, size),
                fault);
    }

    private BadDataException beyondVocabulary(long first, long count, int vocabulary) {
        long at = first;
        while (at < first + count - 1 && token(at) < vocabulary) {
            at++;
        }
        return new BadDataException(("%s: token %d is %d, but the vocabulary has %d (0 to %d); "
                        + "the shard was written with another tokenizer, or damaged")
                .formatted(file, at, token(at), vocabulary, vocabulary - 1));
    }

    private static UncheckedIOException failed(Path file, IOException e) {
        return new UncheckedIOException(file + ": " + e.getMessage(), e);
    }

    private static void closeQuietly(FileChannel channel, Exception because) {
        try {
            if (channel != null) {
                channel.close();
            }
        } catch (IOException e) {
            because.addSuppressed(e);
        }
    }

    @Override
    public void close() {
        arena.close();
        try {
            channel.close();
        } catch (IOException e) {
            throw failed(file, e);
        }
    }
}
