package pacer.activities.dataset;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import pacer.trainer.durable.DurableFiles;
import pacer.trainer.spec.Catalogue;

/**
 * The digests that a catalogue's files had when they came first, each in {@code pins/<catalogue>/<file>.sha256} as sha256sum writes it: trust
 * on first use. A file that its home changes later is refused.
 */
record Pins(Path folder) {

    /** The digest that {@code file} must have: the catalogue's own, else the one that it had before. */
    Optional<String> of(Catalogue catalogue, Catalogue.File file) throws IOException {
        Path pin = path(catalogue, file);
        if (file.sha256().isPresent() || !Files.exists(pin)) {
            return file.sha256();
        }
        return Optional.of(Files.readString(pin).split(" ", 2)[0]).filter(digest -> digest.matches("[0-9a-f]{64}"));
    }

    /** From now on {@code file} must have the digest {@code sha256}. */
    void pin(Catalogue catalogue, Catalogue.File file, String sha256) throws IOException {
        Path pin = path(catalogue, file);
        Files.createDirectories(pin.getParent());
        DurableFiles.write(pin, (sha256 + "  " + file.name() + "\n").getBytes(StandardCharsets.UTF_8));
    }

    Path path(Catalogue catalogue, Catalogue.File file) {
        return folder.resolve(catalogue.name()).resolve(file.name() + ".sha256");
    }
}
