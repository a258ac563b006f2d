package pacer.activities.store;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Supplier;
import pacer.trainer.durable.Sha256;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.BucketVersioningStatus;
import software.amazon.awssdk.services.s3.model.ExpirationStatus;
import software.amazon.awssdk.services.s3.model.LifecycleRule;
import software.amazon.awssdk.services.s3.model.MultipartUpload;
import software.amazon.awssdk.services.s3.model.S3Exception;

/**
 * Does to a store what runs do to it, each thing once, on objects of its own below {@code doctor/}: so it is known which right is missing before a
 * run of days finds out. What it stored it deletes again, as far as it may.
 */
public final class StoreProbe {
    private static final TransferListener NOBODY = TransferListener.NOBODY;

    private final StoreSettings settings;
    private final String key = "doctor/" + UUID.randomUUID();

    public StoreProbe(StoreSettings settings) {
        this.settings = settings;
    }

    /**
     * What a store cannot do, or may not.
     *
     * @param what cannot be done, and what the server says to it
     * @param remedy what to do
     */
    public record Fault(String what, String remedy) {}

    /**
     * What was found.
     *
     * @param faults that will fail runs
     * @param advice what costs money or room, and fails nothing
     */
    public record Result(List<Fault> faults, List<Fault> advice) {}

    /** One thing that runs do. */
    @FunctionalInterface
    private interface Act {
        void run() throws IOException, InterruptedException;
    }

    /**
     * Tries everything.
     *
     * @throws IOException where already the first thing, storing an object, is not to be had: then nothing else can be known
     */
    public Result run() throws IOException, InterruptedException {
        List<Fault> faults = new ArrayList<>();
        List<Fault> advice = new ArrayList<>();
        byte[] bytes = "pacer doctor".getBytes(StandardCharsets.UTF_8);
        try (ObjectStore store = new ObjectStore(settings.place(), settings.access());
                Content probe = Content.of(bytes)) {
            boolean _ = store.put(key, probe, NOBODY);
            attempt(faults, "read an object", "s3:GetObject", () -> read(store, bytes));
            attempt(faults, "list objects", "s3:ListBucket", () -> list(store));
            attempt(faults, "store on a condition", "s3:PutObject", () -> condition(store, faults));
            attempt(
                    faults,
                    "begin and end an upload in parts",
                    "s3:PutObject, s3:AbortMultipartUpload, s3:ListBucketMultipartUploads",
                    () -> parts(store, faults));
            attempt(faults, "delete an object", "s3:DeleteObject", () -> delete(store));
            housekeeping(store, advice);
        }
        return new Result(faults, advice);
    }

    private static void attempt(List<Fault> faults, String what, String right, Act act) throws InterruptedException {
        try {
            act.run();
        } catch (IOException e) {
            faults.add(new Fault(
                    "cannot " + what + ": " + e.getMessage(),
                    "let these credentials do it on the bucket and the objects under the prefix: " + right));
        }
    }

    private void read(ObjectStore store, byte[] bytes) throws IOException, InterruptedException {
        byte[] back = store.read(key, NOBODY)
                .orElseThrow(() -> new IOException(store.address(key) + ": the server has lost what it took"));
        if (!Sha256.of(back).equals(Sha256.of(bytes))) {
            throw new IOException(store.address(key) + ": other bytes came back than were stored");
        }
    }

    private void list(ObjectStore store) throws IOException, InterruptedException {
        if (!store.list(key, NOBODY).equals(List.of(key))) {
            throw new IOException(store.address(key) + ": it is there, but is not listed");
        }
    }

    /** The condition itself, without the look beforehand that spares runs an upload. */
    private void condition(ObjectStore store, List<Fault> faults) throws IOException {
        try {
            store.client()
                    .putObject(
                            r -> r.bucket(store.bucket()).key(store.name(key)).ifNoneMatch("*"),
                            RequestBody.fromString("another"));
        } catch (S3Exception e) {
            if (e.statusCode() == 412) {
                return;
            }
            throw store.fault(key, e);
        } catch (SdkException e) {
            throw store.fault(key, e);
        }
        faults.add(
                new Fault(
                        "the server pays no heed to If-None-Match: two hosts that write at once would overwrite each other",
                        "use a server that knows conditional writes, such as Amazon S3 or versitygw, or a newer version of this one"));
    }

    private void parts(ObjectStore store, List<Fault> faults) throws IOException {
        S3Client client = store.client();
        String whole = key + ".parts";
        String id = asked(store, () -> client.createMultipartUpload(
                        r -> r.bucket(store.bucket()).key(store.name(whole)))
                .uploadId());
        try {
            boolean listed = asked(store, () -> uploads(store, whole).contains(id));
            if (!listed) {
                faults.add(new Fault(
                        "an upload in parts that was begun is not listed: what killed processes leave cannot be ended",
                        "have a rule of the bucket end incomplete uploads after some days"));
            }
        } finally {
            var _ = asked(
                    store,
                    () -> client.abortMultipartUpload(
                            r -> r.bucket(store.bucket()).key(store.name(whole)).uploadId(id)));
        }
    }

    private static List<String> uploads(ObjectStore store, String key) {
        return store
                .client()
                .listMultipartUploadsPaginator(r -> r.bucket(store.bucket()).prefix(store.name(key)))
                .uploads()
                .stream()
                .map(MultipartUpload::uploadId)
                .toList();
    }

    private void delete(ObjectStore store) throws IOException, InterruptedException {
        store.delete(key, NOBODY);
        if (store.find(key, NOBODY).isPresent()) {
            throw new IOException(store.address(key) + ": the server says that it is deleted, but has it still");
        }
    }

    /** What the bucket does by itself. Many servers know nothing of it, and many credentials may not ask: then nothing is said. */
    private static void housekeeping(ObjectStore store, List<Fault> advice) {
        List<LifecycleRule> rules = rules(store);
        boolean versions = answered(
                () -> store.client()
                                .getBucketVersioning(r -> r.bucket(store.bucket()))
                                .status()
                        == BucketVersioningStatus.ENABLED,
                false);
        if (versions && rules.stream().noneMatch(r -> r.noncurrentVersionExpiration() != null)) {
            advice.add(new Fault(
                    "the bucket keeps every version: checkpoints that retention deletes stay, and are paid for",
                    "give the bucket a rule that expires noncurrent versions, after a week for instance"));
        }
    }

    private static List<LifecycleRule> rules(ObjectStore store) {
        return answered(
                () -> store.client().getBucketLifecycleConfiguration(r -> r.bucket(store.bucket())).rules().stream()
                        .filter(rule -> rule.status() == ExpirationStatus.ENABLED)
                        .toList(),
                List.of());
    }

    private static <T> T answered(Supplier<T> question, T otherwise) {
        try {
            return question.get();
        } catch (SdkException e) {
            return otherwise;
        }
    }

    private <T> T asked(ObjectStore store, Supplier<T> question) throws IOException {
        try {
            return question.get();
        } catch (SdkException e) {
            throw store.fault(key, e);
        }
    }
}
