package pacer.activities.dataset;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;

/**
 * A raw file whose content is known.
 *
 * @param modified when it was last changed, as seen before its content was read
 */
record RawFile(Path path, String sha256, long bytes, FileTime modified) {

    /** A file that only this program writes. */
    static RawFile own(Path path, String sha256, long bytes) throws IOException {
        return new RawFile(path, sha256, bytes, Files.getLastModifiedTime(path));
    }

    /**
     * Makes sure that what was read since is what the digest is of.
     *
     * @throws IOException when the file changed
     */
    void checkUnchanged() throws IOException {
        if (Files.size(path) != bytes || !Files.getLastModifiedTime(path).equals(modified)) {
            throw new IOException(path + ": the file changed while it was read; it is read again from the beginning");
        }
    }
}
