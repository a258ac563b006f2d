package pacer.activities.dataset;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.DigestOutputStream;
import java.time.Clock;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.function.Consumer;
import pacer.activities.run.BadInputException;
import pacer.activities.run.Progress;
import pacer.activities.run.Reasons;
import pacer.activities.run.Stage;
import pacer.activities.run.StageContext;
import pacer.activities.store.S3Address;
import pacer.activities.store.TransferListener;
import pacer.trainer.durable.DurableFiles;
import pacer.trainer.durable.FileGuard;
import pacer.trainer.durable.Sha256;
import pacer.trainer.spec.DatasetSpec;
import pacer.trainer.text.TextParts;

/**
 * Brings the raw file of a dataset to this machine and proves that it is the one meant. Fetched and unpacked files lie in
 * {@code downloads/<sha256>}; local ones stay where they are.
 */
final class RawFiles {
    private final Path downloads;
    private final FetchSettings settings;
    private final MavenJars jars;
    private final Clock clock;

    RawFiles(Path downloads, FetchSettings settings, MavenJars jars, Clock clock) {
        this.downloads = downloads;
        this.settings = settings;
        this.jars = jars;
        this.clock = clock;
    }

    RawFile acquire(DatasetSpec spec, StageContext context) throws IOException, InterruptedException {
        DurableFiles.sweep(downloads, Duration.ofDays(1));
        return switch (Source.parse(spec.url())) {
            case Source.LocalFile local ->
                local(spec, local.path().toAbsolutePath().normalize(), context);
            case Source.MavenEntry maven -> unpacked(spec, maven, context);
            case Source.Https https -> fetched(spec, https, context);
            case Source.S3 s3 -> new S3Download(downloads, settings, clock).fetch(spec, s3.address(), context);
            case Source.Ready ready ->
                throw new IllegalArgumentException("catalogue " + ready.catalogue() + " has no raw file");
        };
    }

    /**
     * The digest that the raw file of {@code spec} must have, found out as cheaply as can be; a pinned digest is it.
     *
     * @throws BadInputException as {@link #acquire}
     */
    String digest(DatasetSpec spec, StageContext context) throws IOException, InterruptedException {
        // a user's own file may be another than the one that the preset pins, and nothing else would say so
        return switch (Source.parse(spec.url())) {
            case Source.LocalFile _ -> acquire(spec, context).sha256();
            case Source _ when !spec.sha256().isEmpty() -> spec.sha256();
            case Source.S3 s3 -> new S3Download(downloads, settings, clock).digest(s3.address(), context);
            case Source _ -> acquire(spec, context).sha256();
        };
    }

    /** Whether a home of {@code spec}'s file gives parts of it to every host that asks for them. */
    boolean givesRanges(DatasetSpec spec) throws IOException, InterruptedException {
        return switch (Source.parse(spec.url())) {
            case Source.Https https -> homes(spec, https, notice -> {}).giveRanges();
            case Source.S3 _ -> true;
            case Source.LocalFile _, Source.MavenEntry _, Source.Ready _ -> false;
        };
    }

    /**
     * Bytes {@code from} to {@code to} (exclusive) of the raw file, of which the digest is known, to {@code target}: from this machine's copy, where
     * it has one, else from a home that gives parts.
     *
     * @param home whether to ask the home
     * @return false where neither has them
     * @throws IOException also when what comes has another digest
     */
    boolean range(
            DatasetSpec spec, long rawBytes, TextParts.Part part, boolean home, Path target, TransferListener listener)
            throws IOException, InterruptedException {
        Source source = Source.parse(spec.url());
        Path here = source instanceof Source.LocalFile(Path path) ? path : downloads.resolve(spec.sha256());
        if (Files.isRegularFile(here) && Files.size(here) == rawBytes) {
            if (TextParts.copy(here, part.from(), part.to(), target).equals(part.sha256())) {
                return true;
            }
            Files.delete(target); // another file of the same size, or damaged
        }
        if (!home) {
            return false;
        }
        if (source instanceof Source.S3(S3Address address)) {
            new S3Download(downloads, settings, clock)
                    .fetchRange(address, part.from(), part.bytes(), part.sha256(), target, listener);
            return true;
        }
        if (source instanceof Source.Https(URI uri)) {
            homes(spec, new Source.Https(uri), notice -> {})
                    .fetchRange(part, target, (bytes, all) -> listener.moved(bytes, part.bytes()));
            return true;
        }
        return false;
    }

    /** Refuses what is not there, is no file, or is an empty one. */
    static void requireFile(Path path) throws IOException {
        if (!Files.isRegularFile(path)) {
            throw new BadInputException("dataset.url: " + path
                    + (Files.isDirectory(path)
                            ? " is a folder"
                            : Files.exists(path) ? " is no file" : " does not exist")
                    + "; give the path of a text");
        }
        if (Files.size(path) == 0) {
            throw new BadInputException("dataset.url: " + path + " is empty; give the path of a text");
        }
    }

    private static RawFile local(DatasetSpec spec, Path path, StageContext context) throws IOException {
        requireFile(path);
        long bytes = Files.size(path);
        FileTime modified = Files.getLastModifiedTime(path);
        RawFile raw = new RawFile(path, Sha256.of(path, n -> context.check()), bytes, modified);
        checkDigest(spec, raw);
        return raw;
    }

    private RawFile unpacked(DatasetSpec spec, Source.MavenEntry maven, StageContext context) throws IOException {
        Files.createDirectories(downloads);
        Path beside = DurableFiles.beside(downloads.resolve(maven.artifact()));
        try {
            RawFile[] raw = new RawFile[1];
            jars.read(maven, (content, size) -> raw[0] = unpack(maven, content, beside, context));
            checkDigest(spec, raw[0]);
            Path target = downloads.resolve(raw[0].sha256());
            DurableFiles.move(beside, target);
            return RawFile.own(target, raw[0].sha256(), raw[0].bytes());
        } finally {
            Files.deleteIfExists(beside);
        }
    }

    private RawFile unpack(Source.MavenEntry maven, InputStream content, Path beside, StageContext context)
            throws IOException {
        long bytes = 0;
        byte[] buffer = new byte[1 << 17];
        var digest = Sha256.begin();
        try (OutputStream out =
                new DigestOutputStream(new BufferedOutputStream(Files.newOutputStream(beside)), digest)) {
            int n = content.read(buffer);
            while (n >= 0) {
                context.check();
                bytes += n;
                if (bytes > settings.maxBytes()) {
                    throw new BadInputException("dataset.url: " + maven.entry() + " in " + maven.jarName()
                            + " is larger than " + settings.maxBytes() + " bytes");
                }
                out.write(buffer, 0, n);
                n = content.read(buffer);
            }
        }
        return RawFile.own(beside, Sha256.hex(digest), bytes);
    }

    private RawFile fetched(DatasetSpec spec, Source.Https https, StageContext context)
            throws IOException, InterruptedException {
        if (spec.sha256().isEmpty()) {
            throw new BadInputException("dataset.sha256: must be given for " + https.uri()
                    + ", so that every run trains on the same bytes");
        }
        Path target = downloads.resolve(spec.sha256());
        try (FileGuard _ = FileGuard.take(downloads.resolve(spec.sha256() + ".lock"), context::check)) {
            if (KeptDownload.isSound(target, spec.sha256(), context, read -> {})) {
                return RawFile.own(target, spec.sha256(), Files.size(target));
            }
            download(spec, https, target, context);
        }
        return RawFile.own(target, spec.sha256(), Files.size(target));
    }

    private HttpsHomes homes(DatasetSpec spec, Source.Https https, Consumer<String> notices) {
        return new HttpsHomes(settings, spec, https.uri(), notices);
    }

    private void download(DatasetSpec spec, Source.Https https, Path target, StageContext context)
            throws IOException, InterruptedException {
        try {
            homes(spec, https, context::notice).fetch(spec.sha256(), target, home -> (bytes, total) -> {
                context.check();
                context.progress(downloading(home, bytes, total));
            });
        } catch (FileSystemException e) {
            throw e; // of this machine's disk
        } catch (IOException e) {
            throw new IOException(Reasons.of(e) + "; a copy at hand serves as well: --set dataset.url=file:PATH", e);
        }
    }

    private Progress downloading(URI home, long bytes, OptionalLong total) {
        double megabytes = bytes / 1e6;
        String text = total.isPresent()
                ? "downloading %s: %.1f of %.1f MB".formatted(home.getHost(), megabytes, total.getAsLong() / 1e6)
                : "downloading %s: %.1f MB".formatted(home.getHost(), megabytes);
        Double fraction = total.isPresent() ? (double) bytes / Math.max(1, total.getAsLong()) : null;
        return Progress.of(Stage.DATASET, clock.instant(), fraction, text);
    }

    private static void checkDigest(DatasetSpec spec, RawFile raw) {
        if (!spec.sha256().isEmpty() && !spec.sha256().equals(raw.sha256())) {
            throw new BadInputException("dataset.sha256: " + spec.url() + " has SHA-256 " + raw.sha256() + ", expected "
                    + spec.sha256() + "; the preset pins its text: for another one give --set dataset.sha256= too");
        }
    }
}
