package pacer.activities.dataset;

import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import pacer.activities.run.BadInputException;
import pacer.activities.run.CacheUse;
import pacer.activities.run.Progress;
import pacer.activities.run.Reasons;
import pacer.activities.run.RunFolder;
import pacer.activities.run.Stage;
import pacer.activities.run.StageContext;
import pacer.trainer.durable.FileGuard;
import pacer.trainer.durable.Sha256;
import pacer.trainer.spec.HellaSwagSpec;

/** Brings HellaSwag's examples to this machine: {@code downloads/<sha256>}, proven each time; a file of this machine stays where it is. */
public final class HellaSwagFile {
    private static final String HINT = "; a copy at hand serves as well: --set hellaSwag.from=file:PATH";

    private final Path downloads;
    private final Download download;
    private final Clock clock;

    public HellaSwagFile(Path downloads, FetchSettings settings, Clock clock) {
        this.downloads = downloads;
        this.download = new Download(settings, "hellaSwag.from");
        this.clock = clock;
    }

    /**
     * The file that {@code spec} names, which {@code run} has from now on.
     *
     * @throws BadInputException when it is not there, or not what it should be
     * @throws IOException when trying again may help
     */
    public Path bring(HellaSwagSpec spec, RunFolder run, StageContext context)
            throws IOException, InterruptedException {
        return switch (Source.parse(spec.from())) {
            case Source.LocalFile(Path path) -> here(spec, path.toAbsolutePath(), context);
            case Source.Https(URI uri) -> fetched(spec, uri, run, context);
            case Source _ -> throw new IllegalArgumentException(spec.from() + " is neither a file nor https");
        };
    }

    private static Path here(HellaSwagSpec spec, Path file, StageContext context) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new BadInputException("hellaSwag.from: " + file
                    + (Files.exists(file) ? " is no file" : " does not exist")
                    + "; give the path of hellaswag_val.jsonl, unpacked");
        }
        if (!spec.sha256().isEmpty()) {
            String found = Sha256.of(file, _ -> context.check());
            if (!found.equals(spec.sha256())) {
                throw new BadInputException(
                        "hellaSwag.sha256: %s has %s, expected %s; for other examples give --set hellaSwag.sha256= too"
                                .formatted(file, found, spec.sha256()));
            }
        }
        return file;
    }

    private Path fetched(HellaSwagSpec spec, URI uri, RunFolder run, StageContext context)
            throws IOException, InterruptedException {
        Files.createDirectories(downloads);
        Path file = downloads.resolve(spec.sha256());
        try (FileGuard _ = FileGuard.take(downloads.resolve(spec.sha256() + ".lock"), context::check)) {
            if (!KeptDownload.isSound(file, spec.sha256(), context, bytes -> {})) {
                download.fetch(uri, spec.sha256(), file, (bytes, total) -> {
                    context.check();
                    context.progress(Progress.of(
                            Stage.STAGE,
                            clock.instant(),
                            total.isPresent() ? (double) bytes / Math.max(1, total.getAsLong()) : null,
                            "downloading HellaSwag: %.1f MB".formatted(bytes / 1e6)));
                });
            }
            CacheUse.by(run, file);
            return file;
        } catch (BadInputException e) {
            throw new BadInputException(e.getMessage() + HINT, e);
        } catch (FileSystemException e) {
            throw e; // of this machine's disk
        } catch (IOException e) {
            throw new IOException(uri + ": " + Reasons.of(e) + HINT, e);
        }
    }
}
