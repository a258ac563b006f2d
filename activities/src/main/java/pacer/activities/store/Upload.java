package pacer.activities.store;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import pacer.trainer.durable.Sha256;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.model.ChecksumAlgorithm;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.s3.model.UploadPartResponse;

/** Stores one object, whole or in parts, and proves that it is there. */
final class Upload {
    private static final String TYPE = "application/octet-stream";
    private static final int MOST_PARTS = 10_000; // S3's limit

    /** How often the whole is begun anew: where another's upload is in the way, or the server has lost what it took. */
    private static final int ATTEMPTS = 4;

    /** Uploads in parts of the same object that are older were left by killed processes. */
    private static final Duration LEFT = Duration.ofDays(1);

    private final ObjectStore store;
    private final String key;
    private final Content content;
    private final AtomicLong moved;

    Upload(ObjectStore store, String key, Content content, AtomicLong moved) {
        this.store = store;
        this.key = key;
        this.content = content;
        this.moved = moved;
    }

    /** Whether the bytes were sent; false when they are there already. */
    boolean ifAbsent() throws IOException, InterruptedException {
        Optional<StoredObject> there = store.head(key);
        if (there.isPresent()) {
            return adopt(there.get());
        }
        return send(true);
    }

    boolean replacing() throws IOException, InterruptedException {
        return send(false);
    }

    private boolean send(boolean ifAbsent) throws IOException, InterruptedException {
        for (int attempt = 1; ; attempt++) {
            moved.set(0);
            try {
                if (content.bytes() <= store.part()) {
                    whole(ifAbsent);
                } else {
                    inParts(ifAbsent);
                }
            } catch (S3Exception e) {
                boolean taken = e.statusCode() == 412;
                Optional<StoredObject> there = taken ? store.head(key) : Optional.empty();
                if (there.isPresent()) {
                    return adopt(there.get());
                }
                // 409: another's upload of it ends at this moment; 404: the server knows the upload no more
                boolean again = taken || e.statusCode() == 409 || (e.statusCode() == 404 && isLost(e));
                if (!again || attempt == ATTEMPTS) {
                    throw store.fault(key, e);
                }
                pause(attempt);
                continue;
            } catch (SdkException e) {
                throw store.fault(key, e);
            }
            // a server's word is no proof: one that was restarted says yes of what it has lost
            Optional<StoredObject> there = store.head(key);
            if (there.filter(o -> o.is(content)).isPresent()) {
                return true;
            }
            if (there.isPresent() && ifAbsent) {
                return adopt(there.get());
            }
            if (attempt == ATTEMPTS) {
                throw new IOException(store.address(key) + ": the server says that it is stored, " + ATTEMPTS
                        + " times, but does not have it; look at the server");
            }
            pause(attempt);
        }
    }

    private static boolean isLost(S3Exception e) {
        return e.awsErrorDetails() != null
                && "NoSuchUpload".equals(e.awsErrorDetails().errorCode());
    }

    private boolean adopt(StoredObject there) throws IOException {
        if (there.is(content)) {
            return false;
        }
        throw new ObjectConflictException(store.address(key) + " holds " + there.bytes() + " bytes"
                + there.sha256().map(s -> " of SHA-256 " + s).orElse(", of unknown digest") + "; to be stored were "
                + content.bytes() + " of " + content.sha256()
                + ". What is stored is never replaced: delete that object, or name another PACER_STORE");
    }

    private void whole(boolean ifAbsent) throws IOException {
        byte[] bytes = new byte[Math.toIntExact(content.bytes())];
        content.read(0, ByteBuffer.wrap(bytes));
        content.requireDigest(Sha256.of(bytes));
        store.client()
                .putObject(
                        r -> {
                            r.bucket(store.bucket())
                                    .key(store.name(key))
                                    .metadata(Map.of(ObjectStore.DIGEST, content.sha256()));
                            if (ifAbsent) {
                                r.ifNoneMatch("*");
                            }
                            if (store.checksums()) {
                                r.checksumSHA256(Digests.base64(content.sha256()));
                            }
                        },
                        body(bytes, bytes.length));
    }

    private void inParts(boolean ifAbsent) throws IOException {
        store.endUploads(key, LEFT);
        String id = store.client()
                .createMultipartUpload(r -> {
                    r.bucket(store.bucket())
                            .key(store.name(key))
                            .metadata(Map.of(ObjectStore.DIGEST, content.sha256()));
                    if (store.checksums()) {
                        r.checksumAlgorithm(ChecksumAlgorithm.SHA256);
                    }
                })
                .uploadId();
        try {
            List<CompletedPart> parts = parts(id);
            store.client().completeMultipartUpload(r -> {
                r.bucket(store.bucket()).key(store.name(key)).uploadId(id).multipartUpload(u -> u.parts(parts));
                if (ifAbsent) {
                    r.ifNoneMatch("*");
                }
            });
        } catch (IOException | RuntimeException e) {
            abort(id, e);
            throw e;
        }
    }

    private List<CompletedPart> parts(String id) throws IOException {
        int size = Math.toIntExact(Math.max(store.part(), Math.ceilDiv(content.bytes(), MOST_PARTS)));
        byte[] buffer = new byte[size];
        MessageDigest digest = Sha256.begin();
        List<CompletedPart> parts = new ArrayList<>();
        for (long at = 0; at < content.bytes(); at += size) {
            int length = (int) Math.min(size, content.bytes() - at);
            content.read(at, ByteBuffer.wrap(buffer, 0, length));
            digest.update(buffer, 0, length);
            String checksum = store.checksums() ? Digests.base64(buffer, length) : null;
            int number = parts.size() + 1;
            UploadPartResponse sent = store.client()
                    .uploadPart(
                            r -> r.bucket(store.bucket())
                                    .key(store.name(key))
                                    .uploadId(id)
                                    .partNumber(number)
                                    .checksumSHA256(checksum),
                            body(buffer, length));
            parts.add(CompletedPart.builder()
                    .partNumber(number)
                    .eTag(sent.eTag())
                    .checksumSHA256(checksum)
                    .build());
        }
        content.requireDigest(Sha256.hex(digest)); // before anybody can see it
        return parts;
    }

    private void abort(String id, Exception cause) {
        boolean interrupted = Thread.interrupted(); // it would end this too
        try {
            store.client()
                    .abortMultipartUpload(
                            r -> r.bucket(store.bucket()).key(store.name(key)).uploadId(id));
        } catch (SdkException e) {
            cause.addSuppressed(e); // whoever uploads it a day later ends it
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Bytes that count as they are read. A request that is tried again reads them again. */
    private RequestBody body(byte[] bytes, int length) {
        long before = moved.get();
        return RequestBody.fromContentProvider(
                () -> {
                    moved.set(before);
                    return counted(new ByteArrayInputStream(bytes, 0, length));
                },
                length,
                TYPE);
    }

    private InputStream counted(ByteArrayInputStream from) {
        return new InputStream() {
            @Override
            public int read() {
                int b = from.read();
                moved.addAndGet(b < 0 ? 0 : 1);
                return b;
            }

            @Override
            public int read(byte[] to, int at, int length) {
                int n = from.read(to, at, length);
                moved.addAndGet(Math.max(0, n));
                return n;
            }
        };
    }

    private static void pause(int attempt) throws InterruptedException {
        Thread.sleep((100L << attempt) + ThreadLocalRandom.current().nextLong(100));
    }
}
