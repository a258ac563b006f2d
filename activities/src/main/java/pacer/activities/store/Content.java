package pacer.activities.store;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import pacer.trainer.durable.Sha256;

/** Bytes to be stored, their number and their SHA-256. A file is held open: what is stored is that one, also when its name goes. */
public final class Content implements Closeable {
    private final String name;
    private final FileChannel file; // null where the bytes are in memory
    private final byte[] memory;
    private final long first; // byte of the file
    private final long bytes;
    private final String sha256;

    private Content(String name, FileChannel file, byte[] memory, long first, long bytes, String sha256) {
        this.name = name;
        this.file = file;
        this.memory = memory;
        this.first = first;
        this.bytes = bytes;
        this.sha256 = sha256;
    }

    /**
     * A file of which a manifest says what it is.
     *
     * @throws java.nio.file.NoSuchFileException when it is not there
     */
    public static Content of(Path file, long bytes, String sha256) throws IOException {
        return of(file, 0, bytes, sha256);
    }

    /** The same of {@code bytes} of a file that begin at {@code first}. */
    static Content of(Path file, long first, long bytes, String sha256) throws IOException {
        FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
        return new Content(file.toString(), channel, null, first, bytes, sha256);
    }

    /** Bytes at hand. */
    public static Content of(byte[] bytes) {
        return new Content("", null, bytes, 0, bytes.length, Sha256.of(bytes));
    }

    public long bytes() {
        return bytes;
    }

    public String sha256() {
        return sha256;
    }

    /** Fills {@code to} with the bytes from {@code at} on. */
    void read(long at, ByteBuffer to) throws IOException {
        if (file == null) {
            to.put(memory, Math.toIntExact(at), to.remaining());
            return;
        }
        long from = first + at;
        while (to.hasRemaining()) {
            int n = file.read(to, from);
            if (n < 0) {
                throw new EOFException(
                        name + " ends after " + from + " of the " + (first + bytes) + " bytes it should have");
            }
            from += n;
        }
    }

    /** @throws IOException when {@code found} is not the SHA-256 that these bytes should have */
    void requireDigest(String found) throws IOException {
        if (!found.equals(sha256)) {
            throw new IOException(name + " has SHA-256 " + found + ", should have " + sha256
                    + ": it was damaged or changed, and is not stored");
        }
    }

    @Override
    public void close() throws IOException {
        if (file != null) {
            file.close();
        }
    }
}
