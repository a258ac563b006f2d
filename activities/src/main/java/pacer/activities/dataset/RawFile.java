package pacer.activities.dataset;

import java.nio.file.Path;

/** A raw file whose content is known. */
record RawFile(Path path, String sha256, long bytes) {}
