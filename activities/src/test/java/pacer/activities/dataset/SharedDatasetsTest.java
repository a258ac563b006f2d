package pacer.activities.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpHandler;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.dataset.Preparation.BroughtFile;
import pacer.activities.dataset.Preparation.Division;
import pacer.activities.dataset.Preparation.FileRequest;
import pacer.activities.dataset.Preparation.FinishRequest;
import pacer.activities.dataset.Preparation.JoinRequest;
import pacer.activities.dataset.Preparation.PartRequest;
import pacer.activities.dataset.Preparation.Piece;
import pacer.activities.run.BadInputException;
import pacer.activities.run.DamagedDataException;
import pacer.activities.run.Home;
import pacer.activities.run.RunHub;
import pacer.activities.run.StageLog;
import pacer.activities.run.TestRuns;
import pacer.activities.run.TestStage;
import pacer.activities.store.FaultProxy;
import pacer.activities.store.S3Server;
import pacer.activities.store.S3Settings;
import pacer.activities.store.Store;
import pacer.activities.store.StoredDatasets;
import pacer.trainer.durable.DurableFiles;
import pacer.trainer.durable.Sha256;
import pacer.trainer.spec.Catalogue;
import pacer.trainer.spec.DatasetSpec;
import pacer.trainer.spec.DatasetSpec.Format;
import pacer.trainer.spec.DatasetSpec.Tokenizer;
import pacer.trainer.text.DatasetManifest;
import pacer.trainer.text.ShardPlan;
import pacer.trainer.text.Tokenization.Shard;

/** The steps of a dataset that hosts make together, done by two hosts in turn, each with a home of its own. */
@Timeout(60)
class SharedDatasetsTest {
    private static final int SHARD_TOKENS = 7001;
    private static final PreparationSettings SMALL = new PreparationSettings(5000, 16, 4);

    @RegisterExtension
    private static final S3Server SERVER = new S3Server();

    @TempDir
    private Path folder;

    private final String prefix = "p" + UUID.randomUUID();
    private final TestStage stage = new TestStage();
    private final Map<String, byte[]> published = new HashMap<>();
    private FaultProxy proxy;
    private Store store;
    private TlsServer web;
    private Catalogue catalogue;

    @BeforeEach
    void open() throws Exception {
        proxy = new FaultProxy(SERVER.uri());
        store = Store.of(S3Server.environment(proxy.uri(), prefix)).orElseThrow();
        web = new TlsServer(giving());
    }

    @AfterEach
    void close() {
        store.close();
        proxy.close();
        web.close();
    }

    /** As a file server answers, ranges too. */
    private HttpHandler giving() {
        return exchange -> {
            byte[] content = published.get(exchange.getRequestURI().getPath());
            if (content == null) {
                exchange.sendResponseHeaders(404, -1);
            } else {
                TlsServer.give(exchange, content, content.length);
            }
        };
    }

    /** One machine. */
    private final class Machine {
        private final Home home;
        private final Datasets alone;
        private final SharedDatasets shared;

        Machine(String name) {
            this(name, Optional.of(new StoredDatasets(store)));
        }

        Machine(String name, Optional<StoredDatasets> stored) {
            home = TestRuns.home(folder.resolve(name));
            FetchSettings fetch = new FetchSettings(
                    true,
                    1 << 30,
                    Duration.ofSeconds(5),
                    TlsServer.settings(1, Duration.ZERO).trust(),
                    S3Settings.of(S3Server.environment(proxy.uri(), prefix)));
            alone = new Datasets(
                    home,
                    new StageLog(home, new RunHub(), Clock.systemUTC()),
                    Clock.systemUTC(),
                    fetch,
                    SHARD_TOKENS,
                    stored,
                    name2 -> Optional.of(catalogue));
            shared = new SharedDatasets(
                    alone, stored.orElse(null), SMALL, (hash, spec, context) -> {}, Clock.systemUTC());
        }
    }

    /** What one host makes alone, with no store. */
    private Path alone(DatasetSpec spec) throws Exception {
        Machine machine = new Machine("alone", Optional.empty());
        DatasetResult made = machine.alone.prepare(new DatasetRequest(null, spec), stage);
        return machine.home.datasets().resolve(made.hash());
    }

    private Preparation found(Machine machine, DatasetSpec spec) throws Exception {
        return machine.shared.find(spec, stage);
    }

    private List<Piece> pieces(Preparation preparation, Division division, Machine... machines) throws Exception {
        List<Piece> pieces = new ArrayList<>();
        for (int i = 0; i < division.parts(); i++) {
            PartRequest request = new PartRequest(preparation, division.plan(), i);
            pieces.add(machines[i % machines.length].shared.text().tokenize(request, stage));
        }
        return pieces;
    }

    private List<Shard> shards(Preparation preparation, Division division, List<Piece> pieces, Machine... machines)
            throws Exception {
        List<Shard> shards = new ArrayList<>();
        for (ShardPlan plan : ShardPlan.of(
                pieces.stream().map(Piece::split).toList(),
                pieces.stream().map(Piece::tokens).toList(),
                division.shardTokens())) {
            JoinRequest request = new JoinRequest(
                    preparation,
                    plan,
                    plan.slices().stream()
                            .map(slice -> pieces.get(slice.part()))
                            .toList());
            shards.add(machines[shards.size() % machines.length].shared.text().join(request, stage));
        }
        return shards;
    }

    /** Both hosts in turn. */
    private void make(DatasetSpec spec) throws Exception {
        Machine a = new Machine("a");
        Machine b = new Machine("b");
        Preparation preparation = found(a, spec);
        assertThat(preparation.ready()).isNull();
        Division division = a.shared.text().divide(preparation, stage);
        List<Piece> pieces = pieces(preparation, division, a, b);
        List<Shard> shards = shards(preparation, division, pieces, b, a);
        DatasetResult result =
                b.shared.finish(new FinishRequest(preparation, division.plan(), List.of(), shards), stage);
        assertThat(result.hash()).isEqualTo(preparation.hash());
        assertThat(found(b, spec).ready()).isNotNull();
    }

    private void assertSame(Path alone) throws IOException {
        String hash = alone.getFileName().toString();
        assertThat(SERVER.file(prefix + "/datasets/" + hash + ".json"))
                .hasSameBinaryContentAs(alone.resolve(DatasetManifest.NAME));
        for (Shard shard : DatasetManifest.read(alone).shards()) {
            assertThat(SERVER.file(prefix + "/shards/" + shard.sha256() + ".bin"))
                    .hasSameBinaryContentAs(alone.resolve(shard.name()));
        }
        assertThat(proxy.requests("PUT ")).anyMatch(line -> line.contains("/tokens/"));
        try (var left = Files.walk(SERVER.file(prefix))) {
            assertThat(left.filter(Files::isRegularFile))
                    .noneMatch(file -> file.toString().contains("preparing"));
        }
    }

    private static String text() {
        return IntStream.range(0, 900)
                .mapToObj(i -> "Line " + i * 7919 % 1000 + " of a text, é and 世界, that's repeated.\n")
                .reduce("", String::concat);
    }

    private DatasetSpec spec(String url, byte[] raw, Format format, Tokenizer tokenizer) {
        return new DatasetSpec(url, Sha256.of(raw), format, tokenizer, 0.1);
    }

    @Test
    void aFileOfOneHostGoesToTheOthersByWayOfTheStoreAndTheBytesAreThoseOfOneHost() throws Exception {
        Path file = Files.writeString(folder.resolve("text.txt"), text());
        for (Tokenizer tokenizer : Tokenizer.values()) {
            DatasetSpec spec = new DatasetSpec("file:" + file, "", Format.TEXT, tokenizer, 0.1);
            make(spec);
            assertSame(alone(spec));
        }
        assertThat(proxy.requests("PUT ")).anyMatch(line -> line.contains("/text/"));
        assertThat(found(new Machine("c"), new DatasetSpec("file:" + file, "", Format.TEXT, Tokenizer.GPT2, 0.1))
                        .bound())
                .isTrue();
    }

    @Test
    void jsonLinesOfAWebServerAreFetchedInParts() throws Exception {
        String lines = text().lines()
                .map(line -> "{\"id\": 1, \"text\": \"" + line + "\"}\n")
                .reduce("", String::concat);
        byte[] raw = lines.getBytes(java.nio.charset.StandardCharsets.UTF_8);
        published.put("/text.jsonl", raw);
        DatasetSpec spec = spec(web.uri("/text.jsonl").toString(), raw, Format.JSONL, Tokenizer.GPT2);
        make(spec);
        long ranges = web.ranges.stream()
                .filter(range -> range.matches("bytes=\\d+-\\d+"))
                .count();
        assertThat(ranges).isGreaterThan(5);
        assertSame(alone(spec));
        assertThat(proxy.requests("PUT ")).noneMatch(line -> line.contains("/text/"));
    }

    @Test
    void anObjectOfS3IsFetchedInParts() throws Exception {
        byte[] raw = text().getBytes(java.nio.charset.StandardCharsets.UTF_8);
        Files.createDirectories(SERVER.file("raw"));
        Files.write(SERVER.file("raw/" + prefix), raw);
        DatasetSpec spec = spec("s3://" + S3Server.BUCKET + "/raw/" + prefix, raw, Format.TEXT, Tokenizer.CHARACTERS);
        make(spec);
        assertSame(alone(spec));
        assertThat(proxy.requests("GET ").stream()
                        .filter(line -> line.contains("/raw/"))
                        .count())
                .isGreaterThan(5);
        assertThat(proxy.requests("PUT ")).noneMatch(line -> line.contains("/text/"));
    }

    @Test
    void rowsOfParquetAreDividedAsLines() throws Exception {
        Path file = Path.of("../trainer/src/test/resources/pacer/trainer/text/documents-none.parquet")
                .toAbsolutePath();
        DatasetSpec spec = new DatasetSpec("file:" + file, "", Format.PARQUET, Tokenizer.GPT2, 0.1);
        make(spec);
        assertSame(alone(spec));
    }

    @Test
    void aPartThatChangedAtItsHomeSinceItWasProvenIsRefused() throws Exception {
        byte[] raw = text().getBytes(java.nio.charset.StandardCharsets.UTF_8);
        published.put("/text.txt", raw);
        DatasetSpec spec = spec(web.uri("/text.txt").toString(), raw, Format.TEXT, Tokenizer.GPT2);
        Machine a = new Machine("a");
        Preparation preparation = found(a, spec);
        Division division = a.shared.text().divide(preparation, stage);
        byte[] other = raw.clone();
        other[5] ^= 1;
        published.put("/text.txt", other);

        assertThatThrownBy(() -> new Machine("b")
                        .shared
                        .text()
                        .tokenize(new PartRequest(preparation, division.plan(), 0), stage))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("/text.txt: bytes 0 to ")
                .hasMessageContaining("the file changes at its home");
        assertThat(a.shared
                        .text()
                        .tokenize(new PartRequest(preparation, division.plan(), 0), stage)
                        .tokens())
                .as("whoever has the file that was proven goes on with it")
                .isPositive();
    }

    @Test
    void whoBeginsAnewTokenizesOnlyWhatIsNotThere() throws Exception {
        Path file = Files.writeString(folder.resolve("text.txt"), text());
        DatasetSpec spec = new DatasetSpec("file:" + file, "", Format.TEXT, Tokenizer.GPT2, 0.1);
        Machine a = new Machine("a");
        Preparation preparation = found(a, spec);
        Division division = a.shared.text().divide(preparation, stage);
        List<Piece> pieces = pieces(preparation, division, a);
        Piece second = pieces.get(1);
        SERVER.flip(
                "%s/preparing/%s/tokens/%d-%d.bin".formatted(prefix, preparation.hash(), second.from(), second.to()));
        assertThatThrownBy(() -> shards(preparation, division, pieces, a))
                .isInstanceOf(DamagedDataException.class)
                .hasMessageContaining("preparing the dataset again makes it anew");

        Machine b = new Machine("b");
        int before = proxy.requests("PUT ").size();
        Division again = b.shared.text().divide(preparation, stage);
        List<Piece> same = pieces(preparation, again, b);
        assertThat(same).isEqualTo(pieces);
        assertThat(proxy.requests("PUT ").subList(before, proxy.requests("PUT ").size()))
                .singleElement()
                .asString()
                .contains("/tokens/" + second.from() + "-");
        b.shared.finish(
                new FinishRequest(preparation, again.plan(), List.of(), shards(preparation, again, same, b)), stage);
        assertSame(alone(spec));
    }

    @Test
    void aTextOfOnePartIsMadeAtOnce() throws Exception {
        Path file = Files.writeString(folder.resolve("text.txt"), text().substring(0, 3000));
        DatasetSpec spec = new DatasetSpec("file:" + file, "", Format.TEXT, Tokenizer.GPT2, 0.1);
        Machine a = new Machine("a");
        Division division = a.shared.text().divide(found(a, spec), stage);
        assertThat(division.ready()).isNotNull();
        assertThat(found(new Machine("b"), spec).ready().hash())
                .isEqualTo(division.ready().hash());
    }

    @Test
    void aWorkerOfAnotherStoreTakesNoPart() throws Exception {
        Path file = Files.writeString(folder.resolve("text.txt"), text());
        Preparation preparation =
                found(new Machine("a"), new DatasetSpec("file:" + file, "", Format.TEXT, Tokenizer.GPT2, 0.1));
        store.close();
        store = Store.of(S3Server.environment(proxy.uri(), prefix + "-other")).orElseThrow();
        assertThatThrownBy(() -> new Machine("b").shared.text().divide(preparation, stage))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("set PACER_STORE alike");
    }

    private void publishCatalogue() {
        catalogue = new Catalogue(
                new Catalogue.Facts(
                        "tiny",
                        "",
                        web.uri("/").toString(),
                        "",
                        "",
                        Tokenizer.GPT2,
                        Catalogue.Format.SHARDS,
                        "train_%06d.bin",
                        1,
                        3,
                        500,
                        500,
                        "val_000000.bin",
                        500),
                Map.of());
        for (int i = 0; i <= 3; i++) {
            published.put(i == 0 ? "/val_000000.bin" : "/train_%06d.bin".formatted(i), ReadyDatasetTest.shard(i, 500));
        }
    }

    private DatasetSpec ready(int shards) {
        return new DatasetSpec("catalogue:tiny", "", Format.TEXT, Tokenizer.GPT2, 0.1, shards, "");
    }

    private List<BroughtFile> brought(Preparation preparation, Machine... machines) throws Exception {
        List<BroughtFile> files = new ArrayList<>();
        for (int i = 0; i < preparation.files(); i++) {
            files.add(machines[i % machines.length].shared.bring(new FileRequest(preparation, i), stage));
        }
        return files;
    }

    @Test
    void filesOfACatalogueComeByWayOfAnyHostAndOnce() throws Exception {
        publishCatalogue();
        Machine a = new Machine("a");
        Machine b = new Machine("b");
        Preparation few = found(a, ready(2));
        assertThat(few.files()).isEqualTo(3);
        List<BroughtFile> files = brought(few, a, b);
        assertThat(files).allMatch(BroughtFile::trusted);
        a.shared.finish(
                new FinishRequest(
                        few,
                        null,
                        files,
                        files.stream().flatMap(f -> f.shards().stream()).toList()),
                stage);
        assertThat(stage.notices).last().asString().contains("SHA-256 of 3 files was not known");

        try (var kept = Files.list(b.home.downloads())) {
            assertThat(kept.filter(file -> file.getFileName().toString().matches("[0-9a-f]{64}")))
                    .as("what is in the store is not kept here too")
                    .isEmpty();
        }
        int asked = web.ranges.size();
        Preparation all = found(b, ready(3));
        assertThat(brought(all, b, a)).hasSize(4);
        assertThat(web.ranges).as("one file that the other dataset lacks").hasSize(asked + 1);

        Path alone = alone(ready(2));
        assertThat(SERVER.file(prefix + "/datasets/" + alone.getFileName() + ".json"))
                .hasSameBinaryContentAs(alone.resolve(DatasetManifest.NAME));
    }

    @Test
    void whatOneHostPinnedAllHostsHoldTo() throws Exception {
        publishCatalogue();
        Machine a = new Machine("a");
        brought(found(a, ready(1)), a);
        String key = prefix + "/pins/tiny/train_000001.bin.sha256";
        assertThat(SERVER.file(key)).hasContent(Sha256.of(published.get("/train_000001.bin")) + "  train_000001.bin");

        published.put("/train_000001.bin", ReadyDatasetTest.shard(99, 500));
        DurableFiles.deleteTree(SERVER.file(prefix + "/shards"));
        Machine b = new Machine("b");
        assertThatThrownBy(() -> brought(found(b, ready(1)), b))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("/train_000001.bin has SHA-256 ")
                .hasMessageEndingWith("and s3://pacer/" + key);
    }

    @Test
    void twoHostsThatBroughtDifferentFilesSayWhereTheirPinsAre() throws Exception {
        publishCatalogue();
        Machine b = new Machine("b", Optional.empty()); // before there was a store
        b.alone.prepare(new DatasetRequest(null, ready(1)), stage);
        published.put("/train_000001.bin", ReadyDatasetTest.shard(99, 500));
        Machine a = new Machine("a");
        brought(found(a, ready(1)), a);
        assertThatThrownBy(() -> brought(found(a, ready(1)), new Machine("b")))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("train_000001.bin of catalogue tiny had SHA-256")
                .hasMessageEndingWith("delete the pin that is wrong");
    }
}
