package pacer.activities.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.OtherJvm;
import pacer.trainer.durable.Sha256;

class ObjectStoreTest {
    private static final int PART = 5 << 20; // the least that S3 allows
    private static final TransferListener NOBODY = TransferListener.NOBODY;

    @RegisterExtension
    private static final S3Server SERVER = new S3Server();

    @TempDir
    private Path folder;

    private final String prefix = "t" + UUID.randomUUID();
    private FaultProxy proxy;
    private ObjectStore store;

    @BeforeEach
    void open() throws IOException {
        proxy = new FaultProxy(SERVER.uri());
        store = new ObjectStore(new S3Address(S3Server.BUCKET, prefix), S3Server.access(proxy.uri()), PART);
    }

    @AfterEach
    void close() {
        store.close();
        proxy.close();
    }

    private static byte[] bytes(int length, long seed) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private static byte[] small() {
        return bytes(100_000, 1);
    }

    private static byte[] large() {
        return bytes(2 * PART + 1234, 2);
    }

    private boolean put(String key, byte[] bytes) throws IOException, InterruptedException {
        return store.put(key, Content.of(bytes), NOBODY);
    }

    private Path get(String key, byte[] expected) throws IOException, InterruptedException {
        Path target = folder.resolve("got/" + key);
        store.get(key, expected.length, Sha256.of(expected), target, NOBODY);
        return target;
    }

    private Path onServer(String key) {
        return SERVER.file(prefix + "/" + key);
    }

    private List<?> openUploads() {
        return store.client()
                .listMultipartUploads(r -> r.bucket(S3Server.BUCKET).prefix(prefix))
                .uploads();
    }

    @Test
    void whatIsStoredComesBack() throws Exception {
        for (byte[] bytes : List.of(new byte[0], small(), large())) {
            String key = "a/" + bytes.length + ".bin";
            assertThat(put(key, bytes)).isTrue();
            assertThat(get(key, bytes)).hasBinaryContent(bytes);
            assertThat(store.find(key, NOBODY).orElseThrow().is(Content.of(bytes)))
                    .isTrue();
        }
        assertThat(store.read("a/100000.bin", NOBODY).orElseThrow()).isEqualTo(small());
        assertThat(store.read("a/none", NOBODY)).isEmpty();
        assertThat(store.find("a/none", NOBODY)).isEmpty();
        assertThat(store.list("a/", NOBODY)).containsExactly("a/0.bin", "a/100000.bin", "a/10486994.bin");
        store.delete("a/0.bin", NOBODY);
        assertThat(store.list("a/", NOBODY)).hasSize(2);
        assertThat(openUploads()).isEmpty();
    }

    @Test
    void aFileGoesInPartsOfTheSameBytes() throws Exception {
        Path file = Files.write(folder.resolve("file"), large());
        try (Content content = Content.of(file, large().length, Sha256.of(large()))) {
            Files.delete(file); // its name may go meanwhile
            assertThat(store.put("f", content, NOBODY)).isTrue();
        }
        assertThat(onServer("f")).hasBinaryContent(large());
        assertThat(proxy.requests("PUT ")).hasSize(3);
    }

    @Test
    void aFileThatIsNotWhatItsDigestSaysIsNotStored() throws Exception {
        Path file = Files.write(folder.resolve("file"), large());
        try (Content content = Content.of(file, large().length, Sha256.of(small()))) {
            assertThatThrownBy(() -> store.put("f", content, NOBODY))
                    .hasMessageContaining(file.toString())
                    .hasMessageContaining("damaged or changed");
        }
        assertThat(store.find("f", NOBODY)).isEmpty();
        assertThat(openUploads()).isEmpty();
    }

    @Test
    void whatIsThereIsNotSentAgainAndOtherBytesAreRefused() throws Exception {
        put("k", small());
        assertThat(put("k", small())).isFalse();
        assertThat(proxy.requests("PUT ")).hasSize(1);
        assertThatThrownBy(() -> put("k", bytes(100_000, 3)))
                .isInstanceOf(ObjectConflictException.class)
                .hasMessageContaining(
                        "s3://pacer/" + prefix + "/k holds 100000 bytes of SHA-256 " + Sha256.of(small()));
        assertThat(onServer("k")).hasBinaryContent(small());

        store.replace("k", Content.of(new byte[] {1}), NOBODY);
        assertThat(onServer("k")).hasBinaryContent(new byte[] {1});
    }

    @Test
    void aBurstOfServerErrorsPasses() throws Exception {
        proxy.answer("PUT", 503, 2);
        proxy.answer("GET", 500, 3);
        AtomicInteger heard = new AtomicInteger();
        assertThat(store.put("k", Content.of(small()), (done, all) -> heard.incrementAndGet()))
                .isTrue();
        assertThat(heard.get()).as("heartbeats while it waits").isGreaterThan(1);
        assertThat(get("k", small())).hasBinaryContent(small());
    }

    @Test
    void aServerThatStaysDownIsGivenUpWithItsAnswer() {
        proxy.answer(".*", 500, Integer.MAX_VALUE);
        long start = System.nanoTime();
        assertThatThrownBy(() -> put("k", small()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("s3://pacer/" + prefix + "/k")
                .hasMessageContaining("500");
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(60));
        assertThat(proxy.requests()).hasSize(6);
    }

    @Test
    void aSlowLineIsHeardOfAndCanBeLeft() throws Exception {
        proxy.limit(1000);
        AtomicInteger heard = new AtomicInteger();
        long[] stopped = new long[1];
        assertThatThrownBy(() -> store.put("k", Content.of(large()), (done, all) -> {
                    if (heard.incrementAndGet() == 20) {
                        stopped[0] = System.nanoTime();
                        throw new IllegalStateException("stop");
                    }
                }))
                .hasMessage("stop");
        assertThat(Duration.ofNanos(System.nanoTime() - stopped[0])).isLessThan(Duration.ofSeconds(8));
        assertThat(onServer("k")).doesNotExist();
        assertThat(openUploads()).isEmpty();
    }

    @Test
    void anUploadThatIsCutLeavesNothing() throws Exception {
        proxy.cutRequest("PUT .*partNumber=2", 1_000_000, Integer.MAX_VALUE);
        assertThatThrownBy(() -> put("k", large())).isInstanceOf(IOException.class);
        assertThat(onServer("k")).doesNotExist();
        assertThat(openUploads()).isEmpty();
    }

    @Test
    void anUploadThatIsCutOnceComesThrough() throws Exception {
        proxy.cutRequest("PUT .*partNumber=2", 1_000_000, 2);
        List<Long> moved = new ArrayList<>();
        assertThat(store.put("k", Content.of(large()), (done, all) -> moved.add(done)))
                .isTrue();
        assertThat(get("k", large())).hasBinaryContent(large());
        assertThat(moved).allSatisfy(n -> assertThat(n).isLessThanOrEqualTo(large().length));
    }

    @Test
    void aLostAnswerToWhatWasStoredIsSuccess() throws Exception {
        proxy.loseAnswer("PUT", 1);
        put("small", small());
        assertThat(onServer("small")).hasBinaryContent(small());
        assertThat(proxy.requests("PUT ")).hasSize(2);

        proxy.loseAnswer("POST .*uploadId=", 1);
        put("large", large());
        assertThat(onServer("large")).hasBinaryContent(large());
        assertThat(openUploads()).isEmpty();
    }

    @Test
    void anUploadThatTheServerLostThoughItSaysYesIsBegunAnew() throws Exception {
        proxy.answer("POST .*uploadId=", 200, 1);
        assertThat(put("k", large())).isTrue();
        assertThat(get("k", large())).hasBinaryContent(large());
    }

    @Test
    void aConflictOfUploadsIsBegunAnew() throws Exception {
        proxy.answer("POST .*uploadId=", 409, 1);
        assertThat(put("k", large())).isTrue();
        assertThat(get("k", large())).hasBinaryContent(large());
        assertThat(openUploads()).isEmpty();
    }

    @Test
    void aReadThatIsCutGoesOnWhereItWas() throws Exception {
        put("k", large());
        proxy.cutAnswer("GET", 4_000_000, 2);
        assertThat(get("k", large())).hasBinaryContent(large());
        assertThat(proxy.requests("GET /pacer/")).hasSize(3);
    }

    @Test
    void aByteFlippedOnTheServersDiskIsFound() throws Exception {
        for (byte[] bytes : List.of(small(), large())) {
            put("k" + bytes.length, bytes);
            SERVER.flip(prefix + "/k" + bytes.length);
            assertThatThrownBy(() -> get("k" + bytes.length, bytes))
                    .isInstanceOf(DamagedObjectException.class)
                    .hasMessageContaining("damaged in the store");
        }
        assertThatThrownBy(() -> store.read("k100000", NOBODY)).isInstanceOf(DamagedObjectException.class);
        try (Stream<Path> left = Files.list(folder.resolve("got"))) {
            assertThat(left).isEmpty();
        }
    }

    @Test
    void whatIsNotThereIsSaid() {
        assertThatThrownBy(() -> get("none", small()))
                .isInstanceOf(NoSuchFileException.class)
                .hasMessageContaining("s3://pacer/" + prefix + "/none");
    }

    @Test
    void noSecretIsTold() throws Exception {
        Map<String, String> wrong = S3Server.environment(SERVER.uri(), prefix);
        wrong.put("AWS_SECRET_ACCESS_KEY", "another-secret");
        StoreSettings settings = StoreSettings.of(wrong).orElseThrow();
        assertThat(settings.toString()).doesNotContain("another-secret").doesNotContain(S3Server.ID);
        try (ObjectStore refused = new ObjectStore(settings.place(), settings.access())) {
            assertThatThrownBy(() -> refused.put("k", Content.of(small()), NOBODY))
                    .hasMessageContaining("403")
                    .hasMessageContaining("check AWS_ACCESS_KEY_ID")
                    .hasMessageNotContaining("another-secret")
                    .hasStackTraceContaining("S3");
        }
    }

    @Test
    void aBucketThatIsNotThereIsSaid() throws Exception {
        try (ObjectStore elsewhere =
                new ObjectStore(new S3Address("no-such-bucket", ""), S3Server.access(SERVER.uri()))) {
            assertThatThrownBy(() -> elsewhere.put("k", Content.of(small()), NOBODY))
                    .hasMessageContaining("make the bucket no-such-bucket");
        }
    }

    /** Of many who bring the same at once each is told that it is there, and one that it brought it. */
    @Test
    void ofManyWhoStoreTheSameOneWinsAndTheOthersAdoptIt() throws Exception {
        int rounds = 200;
        int writers = 2;
        CyclicBarrier barrier = new CyclicBarrier(writers);
        try (ExecutorService threads = Executors.newFixedThreadPool(writers)) {
            List<Future<Integer>> sent = new ArrayList<>();
            for (int w = 0; w < writers; w++) {
                Callable<Integer> writer = () -> {
                    int count = 0;
                    try (ObjectStore own = new ObjectStore(
                            new S3Address(S3Server.BUCKET, prefix), S3Server.access(SERVER.uri()), PART)) {
                        for (int round = 0; round < rounds; round++) {
                            barrier.await(30, TimeUnit.SECONDS);
                            boolean won = own.put("race/" + round, Content.of(bytes(2000, round)), NOBODY);
                            count += won ? 1 : 0;
                        }
                    }
                    return count;
                };
                sent.add(threads.submit(writer));
            }
            int all = 0;
            for (Future<Integer> count : sent) {
                all += count.get();
            }
            assertThat(all).isEqualTo(rounds);
        }
        for (int round = 0; round < rounds; round += 17) {
            assertThat(onServer("race/" + round)).hasBinaryContent(bytes(2000, round));
        }
    }

    /** Other bytes for the same key: one is stored, the other is told so. */
    @Test
    void twoProcessesThatStoreDifferentBytesDoNotMixThem() throws Exception {
        Path log = folder.resolve("log");
        Process other = OtherJvm.start(Racer.class, log, SERVER.uri().toString(), prefix, "7", Integer.toString(PART));
        int conflicts = 0;
        try {
            conflicts = Racer.race(SERVER.uri().toString(), prefix, 8, PART);
            assertThat(other.waitFor(60, TimeUnit.SECONDS)).isTrue();
        } finally {
            other.destroyForcibly();
        }
        assertThat(other.exitValue()).as(Files.readString(log)).isZero();
        String said = Files.readString(log, StandardCharsets.UTF_8);
        int others =
                Integer.parseInt(said.substring(said.indexOf("conflicts ") + 10).strip());
        assertThat(conflicts + others).isEqualTo(Racer.ROUNDS);
    }

    /** Stores bytes of its own under keys that another one wants too, in step with it by way of the store itself. */
    static final class Racer {
        static final int ROUNDS = 60;

        private Racer() {}

        static int race(String uri, String prefix, int seed, int part) throws IOException, InterruptedException {
            int conflicts = 0;
            try (ObjectStore own = new ObjectStore(
                    new S3Address(S3Server.BUCKET, prefix), S3Server.access(java.net.URI.create(uri)), part)) {
                for (int round = 0; round < ROUNDS; round++) {
                    own.put("at/" + round + "-" + seed, Content.of(new byte[] {1}), NOBODY);
                    while (own.find("at/" + round + "-" + (seed == 7 ? 8 : 7), NOBODY)
                            .isEmpty()) {
                        Thread.sleep(1);
                    }
                    try {
                        own.put("other/" + round, Content.of(bytes(3000, seed)), NOBODY);
                    } catch (ObjectConflictException e) {
                        conflicts++;
                    }
                }
            }
            return conflicts;
        }

        public static void main(String[] args) throws Exception {
            int conflicts = race(args[0], args[1], Integer.parseInt(args[2]), Integer.parseInt(args[3]));
            System.out.println("conflicts " + conflicts);
        }
    }
}
