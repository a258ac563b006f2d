package pacer.activities.dataset;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;
import pacer.activities.run.BadInputException;
import pacer.activities.run.CacheUse;
import pacer.activities.run.StageContext;
import pacer.activities.store.StoredPins;
import pacer.trainer.data.BadDataException;
import pacer.trainer.data.TokenShard;
import pacer.trainer.durable.DurableFiles;
import pacer.trainer.durable.FileGuard;
import pacer.trainer.durable.Sha256;
import pacer.trainer.spec.Catalogue;
import pacer.trainer.text.Gpt2Tokenizer;

/**
 * Brings files of a catalogue to this machine: each to {@code downloads/<sha256>}, from the first of its homes that gives it, once its format,
 * its tokens and its digest are found right. What is known of the digest beforehand is in {@link Pins}. Safe for use by several threads.
 */
final class ReadyFiles {
    private final Path downloads;
    private final FetchSettings settings;
    private final Pins pins;

    ReadyFiles(Path downloads, FetchSettings settings, Optional<StoredPins> shared) {
        this.downloads = downloads;
        this.settings = settings;
        this.pins = new Pins(downloads.resolve("pins"), shared);
    }

    /**
     * A file that is there, whole and of the catalogue.
     *
     * @param trusted whether nothing was known of its digest before
     */
    record Ready(Path path, String sha256, long bytes, long tokens, boolean trusted) {}

    Pins pins() {
        return pins;
    }

    /** Where a file of the digest {@code sha256} is kept. */
    Path kept(String sha256) {
        return downloads.resolve(sha256);
    }

    /**
     * Brings {@code file}.
     *
     * @param homes folders, each ending in a slash, to be tried in order
     * @param dataset hash of the one for which it is kept in the cache; empty for none
     * @param received hears how many of its bytes are there
     * @throws BadInputException when no home has it as it should be
     * @throws IOException when one may have it another time
     */
    Ready bring(
            Catalogue catalogue,
            Catalogue.File file,
            List<String> homes,
            Optional<String> dataset,
            StageContext context,
            LongConsumer received)
            throws IOException, InterruptedException {
        String key = catalogue.name() + "-" + file.name();
        try (FileGuard _ = FileGuard.take(downloads.resolve(key + ".lock"), context::check)) {
            Optional<String> expected = pins.of(catalogue, file, context);
            if (expected.isPresent()) {
                Path there = downloads.resolve(expected.get());
                keep(dataset, there, context); // before the look: what is there must stay
                if (KeptDownload.isSound(there, expected.get(), context, received)) {
                    return ready(catalogue, file, there, expected.get(), false);
                }
            }
            Path part = downloads.resolve(key + ".part");
            List<Exception> failures = new ArrayList<>();
            for (String home : homes) {
                try {
                    String sha256 = fetch(home, catalogue, file, expected, part, context, received);
                    Path target = downloads.resolve(sha256);
                    Ready sound = ready(catalogue, file, part, sha256, expected.isEmpty());
                    if (expected.isEmpty()) {
                        pins.pin(catalogue, file, sha256, context); // first: what has its name has its pin
                    }
                    keep(dataset, target, context);
                    CacheUse.touch(target);
                    DurableFiles.move(part, target);
                    return new Ready(target, sha256, sound.bytes(), sound.tokens(), sound.trusted());
                } catch (BadDataException e) {
                    Files.deleteIfExists(part);
                    failures.add(new BadInputException(
                            "dataset.url: " + home + file.name() + ": no shard of catalogue " + catalogue.name() + ": "
                                    + e.getMessage(),
                            e));
                } catch (BadInputException | IOException e) {
                    failures.add(e);
                }
            }
            throw failure(failures);
        }
    }

    private static void keep(Optional<String> dataset, Path file, StageContext context)
            throws IOException, InterruptedException {
        if (dataset.isPresent()) {
            CacheUse.byPreparation(dataset.get(), file, context::check);
        }
    }

    private String fetch(
            String home,
            Catalogue catalogue,
            Catalogue.File file,
            Optional<String> expected,
            Path part,
            StageContext context,
            LongConsumer received)
            throws IOException, InterruptedException {
        try {
            if (Source.parse(home) instanceof Source.LocalFile(Path folder)) {
                return copy(folder.resolve(file.name()), expected, part, context, received);
            }
            return new Download(settings).fetchPart(URI.create(home + file.name()), expected, part, (bytes, all) -> {
                context.check();
                received.accept(bytes);
            });
        } catch (BadInputException e) {
            boolean pinned = file.sha256().isEmpty() && expected.isPresent();
            throw pinned && e.getMessage().contains("SHA-256")
                    ? new BadInputException(
                            e.getMessage() + "; it was pinned when it came first: to trust the new one delete "
                                    + pins.places(catalogue, file),
                            e)
                    : e;
        }
    }

    private static String copy(
            Path from, Optional<String> expected, Path part, StageContext context, LongConsumer received)
            throws IOException {
        RawFiles.requireFile(from);
        Files.createDirectories(part.getParent());
        EntityTag.of(part).clear(); // it is of what another home gave
        MessageDigest digest = Sha256.begin();
        try (InputStream in = Files.newInputStream(from);
                FileChannel out = FileChannel.open(
                        part,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE,
                        StandardOpenOption.TRUNCATE_EXISTING)) {
            byte[] buffer = new byte[1 << 18];
            long bytes = 0;
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                context.check();
                digest.update(buffer, 0, n);
                ByteBuffer chunk = ByteBuffer.wrap(buffer, 0, n);
                while (chunk.hasRemaining()) {
                    out.write(chunk);
                }
                bytes += n;
                received.accept(bytes);
            }
            out.force(true);
        }
        String found = Sha256.hex(digest);
        if (expected.isPresent() && !expected.get().equals(found)) {
            Files.delete(part);
            throw new BadInputException("dataset.mirrors: " + from + " has SHA-256 " + found + ", expected "
                    + expected.get() + "; it is another file, or damaged");
        }
        return found;
    }

    /** Header, size and every token of {@code path}. */
    private static Ready ready(Catalogue catalogue, Catalogue.File file, Path path, String sha256, boolean trusted)
            throws IOException {
        boolean header = catalogue.facts().format() == Catalogue.Format.SHARDS;
        try (TokenShard shard = header ? TokenShard.open(path) : TokenShard.openHeaderless(path)) {
            if (file.tokens() > 0 && shard.tokens() != file.tokens()) {
                throw new BadDataException(
                        "%s: has %d tokens, but catalogue %s counts %d; fetch it from a home that has it whole"
                                .formatted(path, shard.tokens(), catalogue.name(), file.tokens()));
            }
            shard.check(
                    switch (catalogue.facts().tokenizer()) {
                        case GPT2 -> Gpt2Tokenizer.END_OF_TEXT + 1;
                        case CHARACTERS -> throw new IllegalArgumentException("a catalogue of characters");
                    });
            return new Ready(path, sha256, Files.size(path), shard.tokens(), trusted);
        }
    }

    /** All that was found; worth another try where one of it may pass. */
    private static Exception failureOf(List<Exception> failures) {
        return failures.stream()
                .filter(IOException.class::isInstance)
                .findFirst()
                .orElse(failures.getFirst());
    }

    private static IOException failure(List<Exception> failures) {
        Exception first = failureOf(failures);
        String text = failures.size() == 1
                ? first.getMessage()
                : String.join("; ", failures.stream().map(Exception::getMessage).toList());
        if (first instanceof BadInputException) {
            throw new BadInputException(text, first);
        }
        return new IOException(text, first);
    }
}
