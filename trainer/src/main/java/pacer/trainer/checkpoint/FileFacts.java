package pacer.trainer.checkpoint;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * What a manifest knows of a file beside it.
 *
 * @param name the file's plain name
 * @param bytes its length
 * @param sha256 64 lower-case hex digits
 */
public record FileFacts(String name, long bytes, String sha256) {

    public FileFacts {
        if (name == null || !Json.isPlainFileName(name)) {
            throw new IllegalArgumentException("a file's name must be plain, without folders; got " + name);
        }
        if (bytes < 0 || sha256 == null || !sha256.matches("[0-9a-f]{64}")) {
            throw new IllegalArgumentException(
                    "file " + name + " needs a length and 64 hex digits of SHA-256; got " + bytes + " and " + sha256);
        }
    }

    /** Facts of {@code file} as it is now; reads all of it. */
    public static FileFacts of(Path file) throws IOException {
        MessageDigest digest = newDigest();
        byte[] window = new byte[1 << 18];
        long bytes = 0;
        try (InputStream in = Files.newInputStream(file)) {
            for (int n = in.read(window); n >= 0; n = in.read(window)) {
                digest.update(window, 0, n);
                bytes += n;
            }
        } catch (NoSuchFileException e) {
            throw e;
        } catch (IOException e) {
            throw new IOException("cannot read " + file + " beyond byte " + bytes + ": " + e.getMessage(), e);
        }
        return new FileFacts(file.getFileName().toString(), bytes, hex(digest));
    }

    static MessageDigest newDigest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    static String hex(MessageDigest digest) {
        return HexFormat.of().formatHex(digest.digest());
    }
}
