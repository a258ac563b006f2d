package pacer.activities.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import pacer.activities.run.BadInputException;
import pacer.activities.run.Home;
import pacer.activities.run.LocalCache;
import pacer.activities.run.RunHub;
import pacer.activities.run.StageLog;
import pacer.activities.run.TestRuns;
import pacer.activities.run.TestStage;
import pacer.trainer.data.Split;
import pacer.trainer.data.TokenShard;
import pacer.trainer.durable.Sha256;
import pacer.trainer.spec.Catalogue;
import pacer.trainer.spec.DatasetSpec;
import pacer.trainer.text.DatasetManifest;

@Timeout(60)
class ReadyDatasetTest {
    private static final int TOKENS = 5000;
    private static final int SHARDS = 6;
    private static final int CUT = 6000;

    @TempDir
    private Path folder;

    private final TestStage stage = new TestStage();
    private final Map<String, byte[]> files = new ConcurrentHashMap<>();
    private final Map<String, String> known = new HashMap<>();
    private final Map<String, AtomicInteger> asked = new ConcurrentHashMap<>();
    private Home home;

    @BeforeEach
    void publish() {
        home = TestRuns.home(folder.resolve("home"));
        files.put("/val_000000.bin", shard(0, 700));
        for (int i = 1; i <= SHARDS; i++) {
            files.put("/train_%06d.bin".formatted(i), shard(i, i == SHARDS ? 1234 : TOKENS));
        }
    }

    static byte[] shard(int seed, int tokens) {
        ByteBuffer bytes = ByteBuffer.allocate(1024 + 2 * tokens).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putInt(20240520).putInt(1).putInt(tokens).position(1024);
        new Random(seed).ints(tokens, 0, 50_257).forEach(token -> bytes.putShort((short) token));
        return bytes.array();
    }

    private static Catalogue catalogue(Map<String, String> known, String... homes) {
        return new Catalogue(
                new Catalogue.Facts(
                        "tiny",
                        "",
                        String.join(" ", homes),
                        "",
                        "",
                        DatasetSpec.Tokenizer.GPT2,
                        Catalogue.Format.SHARDS,
                        "train_%06d.bin",
                        1,
                        SHARDS,
                        TOKENS,
                        1234,
                        "val_000000.bin",
                        700),
                known);
    }

    private static DatasetSpec spec(int shards, String mirrors) {
        return new DatasetSpec(
                "catalogue:tiny", "", DatasetSpec.Format.TEXT, DatasetSpec.Tokenizer.GPT2, 0.1, shards, mirrors);
    }

    private DatasetResult prepare(Catalogue catalogue, DatasetSpec spec) throws IOException, InterruptedException {
        Datasets datasets = new Datasets(
                home,
                new StageLog(home, new RunHub(), Clock.systemUTC()),
                Clock.systemUTC(),
                TlsServer.settings(1 << 20, Duration.ofSeconds(10)),
                1000,
                Optional.empty(),
                name -> Optional.of(catalogue).filter(c -> c.name().equals(name)));
        return datasets.prepare(new DatasetRequest(null, spec), stage);
    }

    private DatasetResult prepare(TlsServer server, int shards) throws IOException, InterruptedException {
        return prepare(catalogue(known, server.uri("/").toString()), spec(shards, ""));
    }

    private HttpHandler giving() {
        return exchange -> {
            String path = exchange.getRequestURI().getPath();
            asked.computeIfAbsent(path, p -> new AtomicInteger()).incrementAndGet();
            byte[] content = files.get(path);
            if (content == null) {
                exchange.sendResponseHeaders(404, -1);
            } else {
                exchange.getResponseHeaders().set("ETag", '"' + Sha256.of(content) + '"');
                TlsServer.give(exchange, content, content.length);
            }
        };
    }

    /** Gives the first bytes, and ends when they are on the disk: what is in flight may be lost. */
    private void cutOff(HttpExchange exchange, byte[] content) throws IOException {
        exchange.getResponseHeaders().set("ETag", '"' + Sha256.of(content) + '"');
        TlsServer.give(exchange, content, CUT);
        String name = exchange.getRequestURI().getPath().substring(1);
        Path part = home.downloads().resolve("tiny-" + name + ".part");
        while (Files.size(part) < CUT) {
            Thread.onSpinWait();
        }
    }

    private DatasetManifest manifest(DatasetResult result) throws IOException {
        return DatasetManifest.read(home.datasets().resolve(result.hash()));
    }

    private Path pin(String file) {
        return home.downloads().resolve("pins/tiny").resolve(file + ".sha256");
    }

    @Test
    void takesAsManyTrainingShardsAsAskedForAndTheValidation() throws Exception {
        try (TlsServer server = new TlsServer(giving())) {
            DatasetResult result = prepare(server, 3);

            DatasetManifest manifest = manifest(result);
            assertThat(manifest.shards())
                    .extracting(shard -> shard.name() + " " + shard.tokens() + " " + shard.sha256())
                    .containsExactly(
                            "train-000000.bin 5000 " + Sha256.of(files.get("/train_000001.bin")),
                            "train-000001.bin 5000 " + Sha256.of(files.get("/train_000002.bin")),
                            "train-000002.bin 5000 " + Sha256.of(files.get("/train_000003.bin")),
                            "val-000000.bin 700 " + Sha256.of(files.get("/val_000000.bin")));
            assertThat(manifest.files(home.datasets().resolve(result.hash()), Split.TRAIN)
                            .get(1))
                    .hasBinaryContent(files.get("/train_000002.bin"));
            assertThat(result.vocabulary()).isEqualTo(50_257);
            assertThat(asked).hasSize(4);
        }
    }

    /** A catalogue of hundreds of files takes hours, and another run's staging may look at the limit meanwhile. */
    @Test
    void filesThatCameStayWhileOthersStillCome() throws Exception {
        List<Path> came = new CopyOnWriteArrayList<>();
        HttpHandler giving = giving();
        HttpHandler last = exchange -> {
            if (exchange.getRequestURI().getPath().equals("/train_000002.bin")) {
                for (String other : List.of("/train_000001.bin", "/val_000000.bin")) {
                    Path file = home.downloads().resolve(Sha256.of(files.get(other)));
                    while (!Files.exists(file) || !Files.exists(Path.of(file + ".used"))) {
                        Thread.onSpinWait();
                    }
                    came.add(file);
                }
                age(home.downloads());
                new LocalCache(home, OptionalLong.of(1), Clock.systemUTC()).shrink(new TestStage());
                came.removeIf(file -> !Files.exists(file));
            }
            giving.handle(exchange);
        };
        try (TlsServer server = new TlsServer(last)) {
            DatasetResult result = prepare(server, 2);
            assertThat(came).hasSize(2);
            assertThat(asked.values()).allMatch(times -> times.get() == 1);
            age(home.downloads());
            age(home.datasets());
            new LocalCache(home, OptionalLong.of(1), Clock.systemUTC()).shrink(stage);
            assertThat(came).as("nobody needs them any more").noneMatch(Files::exists);
            assertThat(home.datasets().resolve(result.hash())).doesNotExist();
        }
    }

    private static void age(Path root) throws IOException {
        try (Stream<Path> all = Files.walk(root)) {
            for (Path path : all.filter(p ->
                            !p.toString().endsWith(".lock") && !p.toString().endsWith(".part"))
                    .toList()) {
                Files.setLastModifiedTime(path, FileTime.from(Instant.now().minus(Duration.ofDays(9))));
            }
        }
    }

    @Test
    void zeroTakesAllAndWhatAnotherDatasetHasIsNotFetchedAgain() throws Exception {
        try (TlsServer server = new TlsServer(giving())) {
            DatasetResult few = prepare(server, 2);
            DatasetResult all = prepare(server, 0);

            assertThat(all.hash()).isNotEqualTo(few.hash());
            assertThat(all.trainTokens()).isEqualTo(5 * TOKENS + 1234);
            assertThat(asked.values()).allMatch(times -> times.get() == 1).hasSize(SHARDS + 1);
            assertThat(prepare(server, 0).reused()).isTrue();
        }
    }

    @Test
    void aDigestThatNobodyKnewIsSaidPinnedAndHeldToFromThenOn() throws Exception {
        known.put("val_000000.bin", Sha256.of(files.get("/val_000000.bin")));
        try (TlsServer server = new TlsServer(giving())) {
            prepare(server, 2);
            assertThat(stage.notices).singleElement().asString().contains("of 2 files was not known", "pins");
            assertThat(pin("train_000001.bin"))
                    .hasContent(Sha256.of(files.get("/train_000001.bin")) + "  train_000001.bin");
            assertThat(pin("val_000000.bin")).doesNotExist();

            Path first = home.downloads().resolve(Sha256.of(files.get("/train_000001.bin")));
            files.put("/train_000001.bin", shard(99, TOKENS));
            Files.delete(first);
            assertThatThrownBy(() -> prepare(server, 3))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("/train_000001.bin has SHA-256 ")
                    .hasMessageEndingWith("to trust the new one delete " + pin("train_000001.bin"));

            Files.delete(pin("train_000001.bin"));
            assertThat(prepare(server, 3).shards()).isEqualTo(4);
        }
    }

    @Test
    void aFileOfAnotherDigestThanTheCataloguesIsRefused() throws Exception {
        known.put("train_000001.bin", "0".repeat(64));
        try (TlsServer server = new TlsServer(giving())) {
            assertThatThrownBy(() -> prepare(server, 1))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("expected 0000");
        }
    }

    @Test
    void mirrorsAreTriedInOrder() throws Exception {
        Path mirror = Files.createDirectories(folder.resolve("mirror"));
        Files.write(mirror.resolve("train_000001.bin"), files.get("/train_000001.bin"));
        try (TlsServer server = new TlsServer(giving());
                TlsServer broken = new TlsServer(exchange -> exchange.sendResponseHeaders(503, -1))) {
            Catalogue catalogue =
                    catalogue(known, broken.uri("/").toString(), server.uri("/").toString());
            prepare(catalogue, spec(2, "file:" + mirror));
            assertThat(asked).containsOnlyKeys("/train_000002.bin", "/val_000000.bin");
            assertThat(broken.ranges).hasSize(2);
        }
    }

    @Test
    void whereNoHomeHasItAllThatWasFoundIsSaidAndItIsTriedAgainIfThatMayHelp() throws Exception {
        files.remove("/train_000001.bin");
        try (TlsServer server = new TlsServer(giving());
                TlsServer broken = new TlsServer(exchange -> exchange.sendResponseHeaders(503, -1))) {
            assertThatThrownBy(() -> prepare(server, 1))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageEndingWith("/train_000001.bin: the server answers 404");
            Catalogue catalogue =
                    catalogue(known, server.uri("/").toString(), broken.uri("/").toString());
            assertThatThrownBy(() -> prepare(catalogue, spec(1, "")))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("answers 404; ")
                    .hasMessageEndingWith("answers 503");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"empty", "short", "magic", "version", "endian", "count", "cut", "long", "vocabulary", "fewer"})
    void whatIsNoShardOfTheCatalogueIsRefusedByNameAndLeavesNothing(String fault) throws Exception {
        files.put("/train_000002.bin", damaged(files.get("/train_000002.bin"), fault));
        try (TlsServer server = new TlsServer(giving())) {
            assertThatThrownBy(() -> prepare(server, 2))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageStartingWith(
                            "dataset.url: " + server.uri("/train_000002.bin") + ": no shard of catalogue tiny: ");
        }
        assertThat(pin("train_000002.bin")).doesNotExist();
        assertThat(home.downloads().resolve("tiny-train_000002.bin.part")).doesNotExist();
    }

    private static byte[] damaged(byte[] shard, String fault) {
        ByteBuffer bytes = ByteBuffer.wrap(shard.clone()).order(ByteOrder.LITTLE_ENDIAN);
        return switch (fault) {
            case "empty" -> new byte[0];
            case "short" -> Arrays.copyOf(shard, 1023);
            case "cut" -> Arrays.copyOf(shard, shard.length - 1);
            case "long" -> Arrays.copyOf(shard, shard.length + 2);
            case "fewer" -> shard(7, TOKENS - 1);
            case "magic" -> bytes.putInt(0, 20240521).array();
            case "version" -> bytes.putInt(4, 2).array();
            case "endian" -> bytes.putInt(0, Integer.reverseBytes(20240520)).array();
            case "count" -> bytes.putInt(8, -1).array();
            case "vocabulary" ->
                bytes.putShort(shard.length - 2, (short) 50_257).array();
            default -> throw new IllegalArgumentException(fault);
        };
    }

    @Test
    void afterAKillOnlyTheShardsUnderWayAreFetchedAgainAndThoseFromWhereTheyWere() throws Exception {
        byte[] whole = files.get("/train_000003.bin");
        AtomicInteger cut = new AtomicInteger();
        HttpHandler cutting = exchange -> {
            boolean third = exchange.getRequestURI().getPath().equals("/train_000003.bin");
            if (third && cut.getAndIncrement() == 0) {
                cutOff(exchange, whole);
            } else {
                giving().handle(exchange);
            }
        };
        try (TlsServer server = new TlsServer(cutting)) {
            prepare(server, 2);
            assertThatThrownBy(() -> prepare(server, 3)).isInstanceOf(IOException.class);
            int before = server.ranges.size();
            assertThat(prepare(server, 3).shards()).isEqualTo(4);
            assertThat(server.ranges.subList(before, server.ranges.size())).containsExactly("bytes=6000-");
        }
    }

    @Test
    void aPartOfAFileThatChangedMeanwhileIsNotGoneOnWith() throws Exception {
        String name = "/train_000001.bin";
        byte[] old = files.get(name);
        files.put(name, shard(77, TOKENS));
        AtomicInteger cut = new AtomicInteger();
        HttpHandler changing = exchange -> {
            if (!exchange.getRequestURI().getPath().equals(name)) {
                giving().handle(exchange);
            } else if (cut.getAndIncrement() == 0) {
                cutOff(exchange, old);
            } else if (('"' + Sha256.of(old) + '"')
                    .equals(exchange.getRequestHeaders().getFirst("If-Range"))) { // as RFC 9110 has it
                exchange.sendResponseHeaders(200, files.get(name).length);
                exchange.getResponseBody().write(files.get(name));
            } else {
                giving().handle(exchange);
            }
        };
        try (TlsServer server = new TlsServer(changing)) {
            assertThatThrownBy(() -> prepare(server, 1)).isInstanceOf(IOException.class);
            DatasetResult result = prepare(server, 1);
            assertThat(manifest(result).shards().getFirst().sha256()).isEqualTo(Sha256.of(files.get(name)));
        }
    }

    @Test
    void aShardDamagedOnDiskIsFetchedAgain() throws Exception {
        try (TlsServer server = new TlsServer(giving())) {
            DatasetResult first = prepare(server, 1);
            Path shard = home.datasets().resolve(first.hash()).resolve("train-000000.bin");
            byte[] bytes = Files.readAllBytes(shard);
            bytes[2000] ^= 1;
            Files.write(shard, bytes);

            DatasetResult again = prepare(server, 1);
            assertThat(again.reused()).isFalse();
            assertThat(shard).hasBinaryContent(files.get("/train_000001.bin"));
            assertThat(asked.get("/train_000001.bin")).hasValue(2);
            assertThat(asked.get("/val_000000.bin")).hasValue(1);
        }
    }

    @Test
    void nanoGptsHeaderlessFilesBecomeShards() throws Exception {
        Path mirror = Files.createDirectories(folder.resolve("owt"));
        byte[] train = shard(5, 2500);
        Files.write(mirror.resolve("train.bin"), Arrays.copyOfRange(train, 1024, train.length));
        Files.write(mirror.resolve("val.bin"), Arrays.copyOfRange(shard(6, 300), 1024, 1624));
        Catalogue catalogue = new Catalogue(
                new Catalogue.Facts(
                        "tiny",
                        "",
                        "",
                        "",
                        "",
                        DatasetSpec.Tokenizer.GPT2,
                        Catalogue.Format.HEADERLESS,
                        "train.bin",
                        0,
                        3,
                        1000,
                        500,
                        "val.bin",
                        300),
                Map.of());

        DatasetResult all = prepare(catalogue, spec(0, "file:" + mirror));
        assertThat(manifest(all).shards())
                .extracting(shard -> shard.name() + " " + shard.tokens())
                .containsExactly(
                        "train-000000.bin 1000", "train-000001.bin 1000", "train-000002.bin 500", "val-000000.bin 300");
        List<Path> files = manifest(all).files(home.datasets().resolve(all.hash()), Split.TRAIN);
        assertThat(Arrays.copyOfRange(Files.readAllBytes(files.get(1)), 1024, 3024))
                .isEqualTo(Arrays.copyOfRange(train, 3024, 5024));
        try (TokenShard shard = TokenShard.open(files.get(2))) {
            assertThat(shard.tokens()).isEqualTo(500);
        }
        assertThat(prepare(catalogue, spec(2, "file:" + mirror)).trainTokens()).isEqualTo(2000);
    }
}
