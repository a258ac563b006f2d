package pacer.activities.dataset;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import pacer.trainer.durable.DurableFiles;

/** The entity tag of what a part file is of, beside it: a server gives the rest of that very file, or the whole of another (RFC 9110, If-Range). */
record EntityTag(Path file) {

    static EntityTag of(Path part) {
        return new EntityTag(part.resolveSibling(part.getFileName() + ".tag"));
    }

    /** The tag; empty where there is none. */
    Optional<String> read() throws IOException {
        return Files.exists(file)
                ? Optional.of(Files.readString(file)).filter(tag -> !tag.isBlank())
                : Optional.empty();
    }

    /** Keeps a strong tag, the only kind that may be asked for with a range. */
    void write(Optional<String> tag) throws IOException {
        if (tag.filter(t -> t.startsWith("\"")).isPresent()) {
            DurableFiles.write(file, tag.get().getBytes(StandardCharsets.UTF_8));
        } else {
            clear();
        }
    }

    void clear() throws IOException {
        Files.deleteIfExists(file);
    }
}
