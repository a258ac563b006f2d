package pacer.activities.dataset;

import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import pacer.activities.run.BadInputException;
import pacer.activities.run.Reasons;
import pacer.trainer.spec.DatasetSpec;
import pacer.trainer.text.TextParts;

/**
 * The homes of one file, tried in order: mirrors first, its own address last. The digest is known beforehand, so it does not matter which home gives
 * which part: what one has given the next goes on from, and only the whole is proven.
 */
final class HttpsHomes {
    private final Download download;
    private final URI own;
    private final List<URI> homes = new ArrayList<>();
    private final Consumer<String> notices;

    /** @param notices hears of each home that fails while there is another */
    HttpsHomes(FetchSettings settings, DatasetSpec spec, URI own, Consumer<String> notices) {
        this.download = new Download(settings);
        this.own = own;
        this.notices = notices;
        for (String mirror : spec.mirrorFiles()) {
            homes.add(URI.create(mirror));
        }
        homes.add(own);
    }

    /** Something that one home does. */
    @FunctionalInterface
    private interface Act<T> {
        T at(URI home) throws IOException, InterruptedException;
    }

    /** Hears at which home how much of the file is there. */
    @FunctionalInterface
    interface Listener {
        Download.Listener at(URI home);
    }

    /**
     * Fetches the file to {@code target}; {@code target}{@code .part} holds what is there so far, from whichever home.
     *
     * @throws BadInputException naming every home, when trying again cannot help
     * @throws IOException naming every home, when it may
     */
    void fetch(String sha256, Path target, Listener listener) throws IOException, InterruptedException {
        Path part = target.resolveSibling(target.getFileName() + ".part");
        boolean _ = first(home -> {
            boolean begun = Files.exists(part) && Files.size(part) > 0;
            try {
                download.fetch(home, sha256, target, listener.at(home));
            } catch (IOException e) {
                // what another home gave did not fit: this one is not to blame, and may have the whole
                if (!begun || Files.exists(part)) {
                    throw e;
                }
                download.fetch(home, sha256, target, listener.at(home));
            }
            return true;
        });
    }

    /** Whether a home gives parts of the file, as far as one question tells. */
    boolean giveRanges() throws IOException, InterruptedException {
        return first(download::givesRanges);
    }

    /** Fetches {@code part} to {@code target}, as {@link Download#fetchRange}; from the first home whose bytes are those of its digest. */
    void fetchRange(TextParts.Part part, Path target, Download.Listener listener)
            throws IOException, InterruptedException {
        boolean _ = first(home -> {
            Files.deleteIfExists(target);
            String found = download.fetchRange(home, part.from(), part.to(), target, listener);
            if (!found.equals(part.sha256())) {
                Files.delete(target);
                throw new IOException(
                        "%s: bytes %d to %d have SHA-256 %s, but had %s when the whole file was proven; the file changes at its home: give a copy that does not"
                                .formatted(home, part.from(), part.to(), found, part.sha256()));
            }
            return true;
        });
    }

    private <T> T first(Act<T> act) throws IOException, InterruptedException {
        List<Exception> failures = new ArrayList<>();
        for (URI home : homes) {
            try {
                return act.at(home);
            } catch (FileSystemException e) {
                throw e; // of this machine's disk
            } catch (BadInputException | IOException e) {
                Exception failure = inItsOwnWords(home, e);
                failures.add(failure);
                if (!home.equals(homes.getLast())) {
                    notices.accept(failure.getMessage() + "; the next home is tried");
                }
            }
        }
        throw all(failures);
    }

    /** A message names the home, and the setting that names it. */
    private Exception inItsOwnWords(URI home, Exception e) {
        String said = Reasons.of(e);
        String shown = "https://" + home.getRawAuthority().replaceFirst(".*@", "") + home.getRawPath();
        String text = said.contains(shown) ? said : shown + ": " + said;
        if (e instanceof BadInputException) {
            String setting =
                    home.equals(own) ? text : text.replaceFirst("^dataset\\.(url|sha256): ", "dataset.mirrors: ");
            return new BadInputException(setting, e);
        }
        return new IOException(text, e);
    }

    /** Worth another try where one of them may pass. */
    private static IOException all(List<Exception> failures) {
        String text =
                String.join("; ", failures.stream().map(Exception::getMessage).toList());
        for (Exception failure : failures) {
            if (failure instanceof IOException) {
                return new IOException(text, failure);
            }
        }
        throw new BadInputException(text, failures.getFirst());
    }
}
