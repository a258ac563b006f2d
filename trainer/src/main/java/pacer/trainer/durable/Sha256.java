package pacer.trainer.durable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256 of files and texts, as 64 lower-case hex digits. */
public final class Sha256 {
    private static final int BUFFER = 1 << 18;

    private Sha256() {}

    /** A digest of nothing yet. */
    public static MessageDigest begin() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** The hex digits of what {@code digest} was given, which begins anew. */
    public static String hex(MessageDigest digest) {
        return HexFormat.of().formatHex(digest.digest());
    }

    /** Digest of a text in UTF-8. */
    public static String of(String text) {
        return of(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Digest of bytes. */
    public static String of(byte[] bytes) {
        MessageDigest digest = begin();
        digest.update(bytes);
        return hex(digest);
    }

    /** Digest of parts, each with its length before it, so that no two lists of parts read the same. */
    public static String ofParts(String... parts) {
        MessageDigest digest = begin();
        for (String part : parts) {
            byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
            digest.update(
                    ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).flip());
            digest.update(bytes);
        }
        return hex(digest);
    }

    /** Hears how many more bytes have been read; ends the reading by throwing. */
    @FunctionalInterface
    public interface Listener {
        void read(long bytes);
    }

    /**
     * Digest of a file.
     *
     * @throws java.nio.file.NoSuchFileException when it is not there
     * @throws UnreadableFileException when it cannot be read to its end
     */
    public static String of(Path file, Listener listener) throws IOException {
        MessageDigest digest = begin();
        long[] bytes = new long[1];
        try (FileChannel in = FileChannel.open(file, StandardOpenOption.READ)) {
            update(digest, in, 0, in.size(), n -> {
                bytes[0] += n;
                listener.read(n);
            });
        } catch (FileSystemException | ClosedChannelException e) {
            throw e; // the first names the file, the second comes of an interrupt
        } catch (IOException e) {
            throw new UnreadableFileException(file, bytes[0], e);
        }
        return hex(digest);
    }

    /** Adds {@code length} bytes of {@code in}, which begin at {@code from}, to {@code digest}. */
    public static void update(MessageDigest digest, FileChannel in, long from, long length, Listener listener)
            throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(BUFFER);
        long at = from;
        while (at < from + length) {
            buffer.clear().limit((int) Math.min(BUFFER, from + length - at));
            int n = in.read(buffer, at);
            if (n < 0) {
                throw new IOException("the file became shorter while it was read");
            }
            digest.update(buffer.flip());
            at += n;
            listener.read(n);
        }
    }
}
