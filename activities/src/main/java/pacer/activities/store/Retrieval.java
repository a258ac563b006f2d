package pacer.activities.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.concurrent.atomic.AtomicLong;
import pacer.trainer.durable.DurableFiles;
import pacer.trainer.durable.Sha256;
import software.amazon.awssdk.core.ResponseInputStream;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.ResponseTransformer;
import software.amazon.awssdk.services.s3.model.ChecksumMode;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.S3Exception;

/** Reads one object and proves it, going on where a connection ended. */
final class Retrieval {
    private static final int BUFFER = 1 << 17;

    /** Cut connections in a row that brought nothing. */
    private static final int FRUITLESS = 5;

    private final ObjectStore store;
    private final String key;
    private final long first; // byte of the object
    private final boolean whole;
    private final long bytes;
    private final String sha256; // empty where none is known
    private final AtomicLong moved;
    private String fault; // what is wrong where that is no other digest

    Retrieval(ObjectStore store, String key, long bytes, String sha256, AtomicLong moved) {
        this(store, key, 0, true, bytes, sha256, moved);
    }

    private Retrieval(
            ObjectStore store, String key, long first, boolean whole, long bytes, String sha256, AtomicLong moved) {
        this.store = store;
        this.key = key;
        this.first = first;
        this.whole = whole;
        this.bytes = bytes;
        this.sha256 = sha256;
        this.moved = moved;
    }

    /** Reads {@code bytes} of an object that begin at {@code first}. */
    static Retrieval ofRange(ObjectStore store, String key, long first, long bytes, String sha256, AtomicLong moved) {
        return new Retrieval(store, key, first, false, bytes, sha256, moved);
    }

    /** Takes the bytes in their order. */
    private interface Sink {
        /** The next ones are those from {@code at} on; what was taken beyond is void. */
        void begin(long at) throws IOException;

        void take(byte[] bytes, int length) throws IOException;
    }

    /** To a file beside {@code target}, which gets its name when it is proven and on disk. */
    void to(Path target) throws IOException, InterruptedException {
        Path beside = DurableFiles.beside(target);
        try {
            to(beside, target);
        } finally {
            Files.deleteIfExists(beside);
        }
    }

    /** The same by way of {@code part}, which stays when it fails, and with which the next attempt goes on. */
    void to(Path part, Path target) throws IOException, InterruptedException {
        Files.createDirectories(target.toAbsolutePath().getParent());
        try (FileChannel out =
                FileChannel.open(part, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            MessageDigest digest = Sha256.begin();
            long had = Math.min(out.size(), bytes);
            Sha256.update(digest, out, 0, had, n -> {});
            proven(had, digest, new Sink() {
                @Override
                public void begin(long at) throws IOException {
                    out.truncate(at).position(at);
                }

                @Override
                public void take(byte[] buffer, int length) throws IOException {
                    ByteBuffer left = ByteBuffer.wrap(buffer, 0, length);
                    while (left.hasRemaining()) {
                        out.write(left);
                    }
                }
            });
            out.force(true);
        }
        DurableFiles.move(part, target);
    }

    /** Reads all of it for nothing but its digest. */
    void prove() throws IOException, InterruptedException {
        proven(0, Sha256.begin(), new Sink() {
            @Override
            public void begin(long at) {
                // nothing is kept
            }

            @Override
            public void take(byte[] buffer, int length) {
                // nothing is kept
            }
        });
    }

    void to(ByteBuffer target) throws IOException, InterruptedException {
        proven(0, Sha256.begin(), new Sink() {
            @Override
            public void begin(long at) {
                target.position(Math.toIntExact(at));
            }

            @Override
            public void take(byte[] buffer, int length) {
                target.put(buffer, 0, length);
            }
        });
    }

    /** Twice at most: what a line has damaged comes well the second time, what a disk has damaged does not. */
    private void proven(long had, MessageDigest ofThat, Sink sink) throws IOException, InterruptedException {
        sink.begin(had);
        moved.set(had);
        String found = read(had, ofThat, sink);
        if (!isRight(found)) {
            sink.begin(0);
            moved.set(0);
            found = read(0, Sha256.begin(), sink);
        }
        if (!isRight(found)) {
            throw new DamagedObjectException(store.address(key)
                    + (whole ? ": " : ": what begins at byte " + first + " ")
                    + (found.isEmpty() ? fault : "has SHA-256 " + found)
                    + ", should have " + (found.isEmpty() ? "%d bytes of ".formatted(bytes) : "") + sha256
                    + "; it is damaged in the store");
        }
    }

    private boolean isRight(String found) {
        return !found.isEmpty() && (sha256.isEmpty() || found.equals(sha256));
    }

    /** SHA-256 of what was read; empty when its size or the server's own checksum says that it is damaged. */
    private String read(long from, MessageDigest digest, Sink sink) throws IOException, InterruptedException {
        long at = from;
        int fruitless = 0;
        while (at < bytes) {
            long before = at;
            try (ResponseInputStream<GetObjectResponse> body = open(at)) {
                Long length = body.response().contentLength();
                if (whole && length != null && length != bytes - at) {
                    body.abort();
                    fault = "has " + (at + length) + " bytes";
                    return "";
                }
                at = copy(body, at, digest, sink);
            } catch (SdkException e) {
                if (String.valueOf(e.getMessage()).contains("checksum")) {
                    fault = "its bytes are not what the server's checksum says";
                    return "";
                }
                throw store.fault(key, e);
            } catch (Cut e) {
                at = e.at;
                fruitless = at > before ? 0 : fruitless + 1;
                if (fruitless == FRUITLESS || Thread.currentThread().isInterrupted()) {
                    throw new IOException(
                            store.address(key) + ": " + e.getCause().getMessage(), e.getCause());
                }
                Thread.sleep(100L << fruitless);
            }
        }
        return Sha256.hex(digest);
    }

    private ResponseInputStream<GetObjectResponse> open(long at) throws IOException {
        try {
            return store.client()
                    .getObject(
                            r -> {
                                r.bucket(store.bucket()).key(store.name(key));
                                if (!whole) {
                                    r.range("bytes=" + (first + at) + "-" + (first + bytes - 1));
                                } else if (at > 0) {
                                    r.range("bytes=" + at + "-");
                                }
                                if (whole && store.checksums()) {
                                    r.checksumMode(ChecksumMode.ENABLED); // a read proves nothing otherwise
                                }
                            },
                            ResponseTransformer.toInputStream());
        } catch (S3Exception e) {
            if (e.statusCode() == 404) {
                throw new NoSuchFileException(store.address(key).toString());
            }
            throw store.fault(key, e);
        }
    }

    private long copy(ResponseInputStream<GetObjectResponse> body, long from, MessageDigest digest, Sink sink)
            throws IOException {
        byte[] buffer = new byte[BUFFER];
        long at = from;
        while (at < bytes) {
            int n;
            try {
                n = body.read(buffer, 0, (int) Math.min(BUFFER, bytes - at));
            } catch (IOException e) {
                body.abort();
                throw new Cut(at, e);
            }
            if (n < 0) {
                throw new Cut(at, new IOException("the connection ended after " + at + " of " + bytes + " bytes"));
            }
            digest.update(buffer, 0, n);
            sink.take(buffer, n);
            at += n;
            moved.set(at);
        }
        // the server's checksum is compared at the end of the stream
        try {
            if (body.read() >= 0) {
                body.abort();
            }
        } catch (IOException e) {
            body.abort(); // everything is here
        }
        return at;
    }

    /** The connection ended at byte {@code at}. */
    private static final class Cut extends IOException {
        private final long at;

        Cut(long at, IOException cause) {
            super(cause);
            this.at = at;
        }
    }
}
