package pacer.activities.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.ChecksumMode;
import software.amazon.awssdk.services.s3.model.ChecksumType;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.MultipartUpload;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.s3.model.S3Object;

/**
 * Objects in S3 under one place. What is stored is there whole or not at all, proven by SHA-256 when it is written and when it is read; a
 * request that fails is tried again, some times, with growing pauses; the failures that are left name place, answer and next step.
 */
public final class ObjectStore implements AutoCloseable {
    /** Name of the digest among an object's metadata: S3 knows no SHA-256 over the parts of a large object. */
    static final String DIGEST = "sha256";

    /** Larger objects go in parts. A part is what is held in memory. */
    static final int PART = 16 << 20;

    private final S3Address place;
    private final S3Settings access;
    private final S3Client client;
    private final int part;

    /** A client for the objects under {@code place}; nothing is asked of the server yet. */
    public ObjectStore(S3Address place, S3Settings access) throws IOException {
        this(place, access, PART);
    }

    ObjectStore(S3Address place, S3Settings access, int part) throws IOException {
        this.place = place;
        this.access = access;
        this.part = part;
        try {
            this.client = S3Clients.open(access);
        } catch (SdkException e) {
            throw S3Faults.of(place, access, e);
        }
    }

    /** Where the object of {@code key} lies, for people. */
    public S3Address address(String key) {
        return key.isEmpty() ? place : place.resolve(key);
    }

    /** What is known of the object of {@code key}; empty when there is none. */
    public Optional<StoredObject> find(String key, TransferListener listener) throws IOException, InterruptedException {
        return Transfer.run(0, listener, _ -> head(key));
    }

    Optional<StoredObject> head(String key) throws IOException {
        try {
            HeadObjectResponse head = client.headObject(r -> {
                r.bucket(place.bucket()).key(name(key));
                if (access.checksums()) {
                    r.checksumMode(ChecksumMode.ENABLED);
                }
            });
            return Optional.of(new StoredObject(head.contentLength(), digest(head), head.eTag()));
        } catch (S3Exception e) {
            boolean noBucket = e.awsErrorDetails() != null
                    && "NoSuchBucket".equals(e.awsErrorDetails().errorCode());
            if (e.statusCode() == 404 && !noBucket) {
                return Optional.empty();
            }
            throw S3Faults.of(address(key), access, e);
        } catch (SdkException e) {
            throw S3Faults.of(address(key), access, e);
        }
    }

    /** What the server has found itself counts before what it was told. */
    private static Optional<String> digest(HeadObjectResponse head) {
        boolean whole = head.checksumSHA256() != null && head.checksumType() != ChecksumType.COMPOSITE;
        return whole
                ? Digests.hex(head.checksumSHA256())
                : Optional.ofNullable(head.metadata().get(DIGEST));
    }

    /**
     * Stores {@code content} where nothing is yet. That the same bytes are there already is as good, also when another brings them at
     * this moment.
     *
     * @return whether they were sent
     * @throws ObjectConflictException when other bytes are there
     */
    public boolean put(String key, Content content, TransferListener listener)
            throws IOException, InterruptedException {
        return Transfer.run(content.bytes(), listener, moved -> new Upload(this, key, content, moved).ifAbsent());
    }

    /** Stores {@code content} whatever is there: for the few objects that change. */
    public void replace(String key, Content content, TransferListener listener)
            throws IOException, InterruptedException {
        boolean _ = Transfer.run(content.bytes(), listener, moved -> new Upload(this, key, content, moved).replacing());
    }

    /**
     * Brings the object of {@code key} to {@code target}: to a file beside it, proven, synced, renamed.
     *
     * @throws java.nio.file.NoSuchFileException when there is no such object
     * @throws DamagedObjectException when its bytes are not those of {@code sha256}
     */
    public void get(String key, long bytes, String sha256, Path target, TransferListener listener)
            throws IOException, InterruptedException {
        Transfer.run(bytes, listener, moved -> {
            new Retrieval(this, key, bytes, sha256, moved).to(target);
            return null;
        });
    }

    /** The same by way of {@code part}, which stays when it fails, and with which the next attempt goes on. */
    public void get(String key, long bytes, String sha256, Path part, Path target, TransferListener listener)
            throws IOException, InterruptedException {
        Transfer.run(bytes, listener, moved -> {
            new Retrieval(this, key, bytes, sha256, moved).to(part, target);
            return null;
        });
    }

    /**
     * The same of {@code bytes} of the object that begin at {@code first}.
     *
     * @throws DamagedObjectException also when the object is another than the one that the digest was taken of
     */
    public void getRange(String key, long first, long bytes, String sha256, Path target, TransferListener listener)
            throws IOException, InterruptedException {
        Transfer.run(bytes, listener, moved -> {
            Retrieval.ofRange(this, key, first, bytes, sha256, moved).to(target);
            return null;
        });
    }

    /** Whether all bytes of the object of {@code key} are those of {@code sha256}: they are read, and kept nowhere. One that is not there is not. */
    public boolean isSound(String key, long bytes, String sha256, TransferListener listener)
            throws IOException, InterruptedException {
        try {
            Transfer.run(bytes, listener, moved -> {
                new Retrieval(this, key, bytes, sha256, moved).prove();
                return null;
            });
            return true;
        } catch (DamagedObjectException | NoSuchFileException e) {
            return false;
        }
    }

    /** The bytes of a small object, proven by the digest that it was stored with; empty when there is none. */
    public Optional<byte[]> read(String key, TransferListener listener) throws IOException, InterruptedException {
        return Transfer.run(0, listener, moved -> {
            Optional<StoredObject> there = head(key);
            if (there.isEmpty()) {
                return Optional.empty();
            }
            String sha256 = there.get().sha256().orElse("");
            ByteBuffer content = ByteBuffer.allocate(Math.toIntExact(there.get().bytes()));
            new Retrieval(this, key, content.capacity(), sha256, moved).to(content);
            return Optional.of(content.array());
        });
    }

    /** The keys that begin with {@code prefix}, in the order of their bytes. */
    public List<String> list(String prefix, TransferListener listener) throws IOException, InterruptedException {
        int above = place.key().isEmpty() ? 0 : place.key().length() + 1;
        return Transfer.run(
                0,
                listener,
                _ ->
                        asking(
                                prefix, () -> client
                                        .listObjectsV2Paginator(
                                                r -> r.bucket(place.bucket()).prefix(name(prefix)))
                                        .contents()
                                        .stream()
                                        .map(S3Object::key)
                                        .map(key -> key.substring(above))
                                        .toList()));
    }

    /** Deletes the object of {@code key}, if there is one. */
    public void delete(String key, TransferListener listener) throws IOException, InterruptedException {
        Transfer.run(
                0,
                listener,
                _ -> asking(
                        key,
                        () -> client.deleteObject(r -> r.bucket(place.bucket()).key(name(key)))));
    }

    /** Ends uploads in parts under {@code prefix} that were begun longer ago than {@code age}: those of killed processes, which cost. */
    public void endUploads(String prefix, Duration age, TransferListener listener)
            throws IOException, InterruptedException {
        Transfer.run(0, listener, _ -> {
            endUploads(prefix, age);
            return null;
        });
    }

    void endUploads(String prefix, Duration age) throws IOException {
        Instant limit = Instant.now().minus(age);
        asking(prefix, () -> {
            for (MultipartUpload upload : client.listMultipartUploadsPaginator(
                            r -> r.bucket(place.bucket()).prefix(name(prefix)))
                    .uploads()) {
                if (!upload.initiated().isAfter(limit)) {
                    client.abortMultipartUpload(
                            r -> r.bucket(place.bucket()).key(upload.key()).uploadId(upload.uploadId()));
                }
            }
            return null;
        });
    }

    private <T> T asking(String key, Supplier<T> question) throws IOException {
        try {
            return question.get();
        } catch (SdkException e) {
            throw fault(key, e);
        }
    }

    IOException fault(String key, SdkException e) {
        return S3Faults.of(address(key), access, e);
    }

    S3Client client() {
        return client;
    }

    String bucket() {
        return place.bucket();
    }

    String name(String key) {
        return address(key).key();
    }

    boolean checksums() {
        return access.checksums();
    }

    int part() {
        return part;
    }

    @Override
    public void close() {
        client.close();
    }
}
