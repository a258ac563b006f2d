package pacer.trainer.checkpoint;

import java.io.IOException;
import java.nio.file.Path;
import pacer.trainer.durable.Sha256;

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
        long[] bytes = new long[1];
        String sha256 = Sha256.of(file, n -> bytes[0] += n);
        return new FileFacts(file.getFileName().toString(), bytes[0], sha256);
    }
}
