package pacer.trainer.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import pacer.trainer.durable.DurableFiles;
import pacer.trainer.durable.Sha256;

/**
 * Writes one token shard with header. Tokens go to a file beside it, which takes the shard's name only once it is
 * whole and on the disk, so whatever happens there is either a whole shard under that name or none. Two writers of
 * one name do not disturb each other; the later one's shard stands.
 */
public final class ShardWriter implements AutoCloseable {
    private static final String PARTIAL = ".partial";

    /** Files of writers in this process: to open and close one anew would drop its lock (POSIX locks). */
    private static final Set<Path> LIVING = ConcurrentHashMap.newKeySet();

    private final Path file;
    private final Path partial;
    private final FileChannel channel;
    private final MessageDigest digest = Sha256.begin();
    private final ByteBuffer buffer = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
    private final int planned;
    private long tokens;
    private boolean finished;

    /** A finished shard: its tokens, its size in bytes, and the SHA-256 of the whole file in hexadecimal. */
    public record Written(long tokens, long bytes, String sha256) {}

    /**
     * Begins a shard.
     *
     * @param planned how many tokens it will likely have: the digest is computed on the way for a header that says
     *     so. A shard that ends with another number is read once more
     */
    public ShardWriter(Path file, int planned) throws IOException {
        this.file = file;
        this.planned = planned;
        this.partial = file.toAbsolutePath()
                .resolveSibling("%s.%s%s".formatted(file.getFileName(), UUID.randomUUID(), PARTIAL))
                .normalize();
        LIVING.add(partial);
        this.channel = create(partial);
        try {
            digest.update(ShardHeader.of(planned));
            write(ShardHeader.of(planned));
        } catch (IOException | RuntimeException e) {
            close();
            throw e;
        }
    }

    /** Appends tokens {@code from} to {@code to} (exclusive), each an unsigned 16-bit number. */
    public void write(char[] source, int from, int to) throws IOException {
        if (tokens + (to - from) > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("a shard counts its tokens in an int32: %s cannot take more than %d"
                    .formatted(file, Integer.MAX_VALUE));
        }
        for (int i = from; i < to; ) {
            int count = Math.min(to - i, buffer.remaining() / 2);
            buffer.asCharBuffer().put(source, i, count);
            buffer.position(buffer.position() + 2 * count);
            i += count;
            if (!buffer.hasRemaining()) {
                flush();
            }
        }
        tokens += to - from;
    }

    /** Tokens written so far. */
    public long tokens() {
        return tokens;
    }

    /**
     * Brings the shard to the disk and gives it its name.
     *
     * @throws IllegalStateException if no token was written
     */
    public Written finish() throws IOException {
        if (tokens == 0) {
            throw new IllegalStateException("a shard needs at least one token: " + file);
        }
        flush();
        if (tokens != planned) {
            channel.position(0);
            write(ShardHeader.of((int) tokens));
            digestAgain();
        }
        channel.force(true);
        Written written = new Written(tokens, ShardHeader.BYTES + 2 * tokens, Sha256.hex(digest));
        DurableFiles.move(partial, file);
        finished = true;
        release();
        return written;
    }

    /** Gives up the shard unless it is finished: nothing of it stays. */
    @Override
    public void close() throws IOException {
        if (!finished) {
            release();
            Files.deleteIfExists(partial);
        }
    }

    /** Deletes what killed writers left in a folder; files of living writers, here or in other processes, stay. */
    public static void sweep(Path folder) throws IOException {
        try (DirectoryStream<Path> leftovers =
                Files.newDirectoryStream(folder.toAbsolutePath().normalize(), "*.bin.*" + PARTIAL)) {
            for (Path leftover : leftovers) {
                if (LIVING.contains(leftover)) {
                    continue;
                }
                try (FileChannel channel = FileChannel.open(leftover, StandardOpenOption.WRITE)) {
                    if (channel.tryLock() != null) {
                        Files.deleteIfExists(leftover);
                    }
                } catch (NoSuchFileException alreadyGone) {
                    // its writer finished, or another sweep was faster
                }
            }
        }
    }

    /**
     * A new file, locked for as long as it is open, which tells the sweep of another process that its writer lives.
     */
    private static FileChannel create(Path partial) throws IOException {
        while (true) {
            FileChannel channel = FileChannel.open(
                    partial, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE);
            if (channel.tryLock() != null && Files.exists(partial)) {
                return channel;
            }
            channel.close(); // swept between creation and lock
            Files.deleteIfExists(partial);
        }
    }

    private void release() throws IOException {
        channel.close();
        LIVING.remove(partial);
    }

    private void flush() throws IOException {
        buffer.flip();
        digest.update(buffer.duplicate());
        write(buffer);
        buffer.clear();
    }

    private void digestAgain() throws IOException {
        digest.reset();
        channel.position(0);
        buffer.clear();
        while (channel.read(buffer) >= 0) {
            digest.update(buffer.flip());
            buffer.clear();
        }
    }

    private void write(ByteBuffer source) throws IOException {
        try {
            while (source.hasRemaining()) {
                channel.write(source);
            }
        } catch (ClosedByInterruptException e) {
            throw e;
        } catch (IOException e) {
            // "No space left on device" alone does not say where
            throw new IOException("%s: after %d tokens: %s".formatted(file, tokens, e.getMessage()), e);
        }
    }
}
