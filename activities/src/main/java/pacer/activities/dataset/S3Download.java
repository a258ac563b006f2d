package pacer.activities.dataset;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Optional;
import pacer.activities.run.BadInputException;
import pacer.activities.run.Progress;
import pacer.activities.run.Stage;
import pacer.activities.run.StageContext;
import pacer.activities.store.DamagedObjectException;
import pacer.activities.store.ObjectStore;
import pacer.activities.store.RefusedException;
import pacer.activities.store.S3Address;
import pacer.activities.store.StoredObject;
import pacer.activities.store.TransferListener;
import pacer.trainer.durable.FileGuard;
import pacer.trainer.spec.DatasetSpec;

/**
 * Fetches an object of S3 to {@code downloads/<sha256>}, going on where an earlier attempt ended. Where no digest is pinned, the one
 * that the server has of the object is.
 */
final class S3Download {
    private final Path downloads;
    private final FetchSettings settings;
    private final Clock clock;

    S3Download(Path downloads, FetchSettings settings, Clock clock) {
        this.downloads = downloads;
        this.settings = settings;
        this.clock = clock;
    }

    RawFile fetch(DatasetSpec spec, S3Address address, StageContext context) throws IOException, InterruptedException {
        if (!spec.sha256().isEmpty()) {
            return fetch(spec.sha256(), address, context);
        }
        try (ObjectStore bucket = bucket(address)) {
            String sha256 = digest(bucket, address, context);
            return fetch(sha256, address, context);
        }
    }

    /** The digest that the server has of the object. */
    String digest(S3Address address, StageContext context) throws IOException, InterruptedException {
        try (ObjectStore bucket = bucket(address)) {
            return digest(bucket, address, context);
        }
    }

    private static String digest(ObjectStore bucket, S3Address address, StageContext context)
            throws IOException, InterruptedException {
        return find(bucket, address, context)
                .sha256()
                .orElseThrow(() -> new BadInputException("dataset.sha256: must be given for " + address
                        + ", as the server has no SHA-256 of it, so that every run trains on the same bytes"));
    }

    /**
     * Brings {@code bytes} of the object that begin at {@code first} to {@code target}.
     *
     * @throws DamagedObjectException when they are not those of {@code sha256}
     */
    void fetchRange(S3Address address, long first, long bytes, String sha256, Path target, TransferListener listener)
            throws IOException, InterruptedException {
        try (ObjectStore bucket = bucket(address)) {
            bucket.getRange(address.key(), first, bytes, sha256, target, listener);
        }
    }

    private RawFile fetch(String sha256, S3Address address, StageContext context)
            throws IOException, InterruptedException {
        Path target = downloads.resolve(sha256);
        try (FileGuard _ = FileGuard.take(downloads.resolve(sha256 + ".lock"), context::check)) {
            if (KeptDownload.isSound(target, sha256, context, read -> {})) {
                return RawFile.own(target, sha256, Files.size(target));
            }
            try (ObjectStore bucket = bucket(address)) {
                download(bucket, sha256, address, target, context);
            }
        }
        return RawFile.own(target, sha256, Files.size(target));
    }

    private void download(ObjectStore bucket, String sha256, S3Address address, Path target, StageContext context)
            throws IOException, InterruptedException {
        StoredObject there = find(bucket, address, context);
        Optional<String> other = there.sha256().filter(found -> !found.equals(sha256));
        if (other.isPresent()) {
            throw new BadInputException("dataset.sha256: " + address + " has SHA-256 " + other.get() + ", expected "
                    + sha256 + "; the object changed, or the preset is wrong");
        }
        if (there.bytes() > settings.maxBytes()) {
            throw new BadInputException(
                    "dataset.url: " + address + " is larger than " + settings.maxBytes() + " bytes");
        }
        Path part = target.resolveSibling(target.getFileName() + ".part");
        try {
            bucket.get(address.key(), there.bytes(), sha256, part, target, (done, all) -> {
                context.check();
                context.progress(Progress.of(
                        Stage.DATASET,
                        clock.instant(),
                        (double) done / Math.max(1, all),
                        "downloading %s: %.1f of %.1f MB".formatted(address, done / 1e6, all / 1e6)));
            });
        } catch (DamagedObjectException e) {
            Files.deleteIfExists(part);
            throw new BadInputException("dataset.sha256: " + e.getMessage(), e);
        }
    }

    private static StoredObject find(ObjectStore bucket, S3Address address, StageContext context)
            throws IOException, InterruptedException {
        try {
            return bucket.find(address.key(), (done, all) -> context.check())
                    .orElseThrow(() -> new BadInputException("dataset.url: there is no " + address));
        } catch (RefusedException e) {
            throw new BadInputException("dataset.url: " + e.getMessage(), e);
        }
    }

    private ObjectStore bucket(S3Address address) throws IOException {
        return new ObjectStore(new S3Address(address.bucket(), ""), settings.s3());
    }
}
