package pacer.activities.dataset;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import pacer.activities.run.BadInputException;
import pacer.activities.run.Reasons;
import pacer.activities.run.StageContext;
import pacer.activities.store.StoredPins;
import pacer.trainer.durable.DurableFiles;
import pacer.trainer.spec.Catalogue;

/**
 * The digests that a catalogue's files had when they came first, each in {@code pins/<catalogue>/<file>.sha256} as sha256sum writes it, here and
 * in the store, where there is one: trust on first use, of the first host. A file that its home changes later is refused.
 */
final class Pins {
    /** A store that does not answer is left alone for so long: a catalogue has hundreds of files. */
    private static final Duration REST = Duration.ofMinutes(1);

    private final Path folder;
    private final Optional<StoredPins> shared;
    private volatile Instant restingUntil = Instant.MIN;

    /** @param shared those of all hosts */
    Pins(Path folder, Optional<StoredPins> shared) {
        this.folder = folder;
        this.shared = shared;
    }

    Path folder() {
        return folder;
    }

    private Optional<StoredPins> shared() {
        return shared.filter(_ -> Instant.now().isAfter(restingUntil));
    }

    private void silent(String what, IOException e, StageContext context) {
        restingUntil = Instant.now().plus(REST);
        context.notice(what + ": " + Reasons.of(e));
    }

    /**
     * The digest that {@code file} must have: the catalogue's own, else the one that it had before.
     *
     * @throws BadInputException when it had another one on this machine than on others
     */
    Optional<String> of(Catalogue catalogue, Catalogue.File file, StageContext context)
            throws IOException, InterruptedException {
        if (file.sha256().isPresent()) {
            return file.sha256();
        }
        Optional<String> here = here(catalogue, file);
        Optional<StoredPins> others = shared();
        if (others.isEmpty()) {
            return here;
        }
        Optional<String> there;
        try {
            there = here.isPresent()
                    ? Optional.of(others.get().pin(catalogue.name(), file.name(), here.get(), context))
                    : others.get().find(catalogue.name(), file.name(), context);
        } catch (IOException e) {
            silent("the store gives no pins, those of this machine count", e, context);
            return here;
        }
        if (here.isPresent() && !here.equals(there)) {
            throw new BadInputException(
                    "dataset.url: %s of catalogue %s had SHA-256 %s when it came to this machine first (%s), but %s for others (%s); delete the pin that is wrong"
                            .formatted(
                                    file.name(),
                                    catalogue.name(),
                                    here.get(),
                                    path(catalogue, file),
                                    there.orElse("none"),
                                    others.get().place(catalogue.name(), file.name())));
        }
        if (here.isEmpty() && there.isPresent()) {
            write(catalogue, file, there.get()); // for days when the store does not answer
        }
        return there;
    }

    private Optional<String> here(Catalogue catalogue, Catalogue.File file) throws IOException {
        Path pin = path(catalogue, file);
        return Files.exists(pin)
                ? Optional.of(Files.readString(pin).split(" ", 2)[0]).filter(digest -> digest.matches("[0-9a-f]{64}"))
                : Optional.empty();
    }

    /**
     * From now on {@code file} must have the digest {@code sha256}.
     *
     * @throws BadInputException when another host has pinned another one at this moment
     */
    void pin(Catalogue catalogue, Catalogue.File file, String sha256, StageContext context)
            throws IOException, InterruptedException {
        Optional<StoredPins> others = shared();
        if (others.isPresent()) {
            String pinned = sha256;
            try {
                pinned = others.get().pin(catalogue.name(), file.name(), sha256, context);
            } catch (IOException e) {
                silent(file.name() + " is pinned on this machine only", e, context);
            }
            if (!pinned.equals(sha256)) {
                throw new BadInputException(
                        "dataset.url: %s of catalogue %s came with SHA-256 %s, and to another host at the same time with %s; its home changed it, or one is damaged: prepare the dataset again, or delete %s"
                                .formatted(
                                        file.name(),
                                        catalogue.name(),
                                        sha256,
                                        pinned,
                                        others.get().place(catalogue.name(), file.name())));
            }
        }
        write(catalogue, file, sha256);
    }

    private void write(Catalogue catalogue, Catalogue.File file, String sha256) throws IOException {
        Path pin = path(catalogue, file);
        Files.createDirectories(pin.getParent());
        DurableFiles.write(pin, (sha256 + "  " + file.name() + "\n").getBytes(StandardCharsets.UTF_8));
    }

    Path path(Catalogue catalogue, Catalogue.File file) {
        return folder.resolve(catalogue.name()).resolve(file.name() + ".sha256");
    }

    /** Where the pin of {@code file} is, for people who want to be rid of it. */
    String places(Catalogue catalogue, Catalogue.File file) {
        String here = path(catalogue, file).toString();
        return shared.map(pins -> here + " and " + pins.place(catalogue.name(), file.name()))
                .orElse(here);
    }
}
