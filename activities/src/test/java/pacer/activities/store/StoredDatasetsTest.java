package pacer.activities.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.dataset.DatasetRequest;
import pacer.activities.dataset.DatasetResult;
import pacer.activities.dataset.Datasets;
import pacer.activities.dataset.FetchSettings;
import pacer.activities.run.DamagedDataException;
import pacer.activities.run.Home;
import pacer.activities.run.RunHub;
import pacer.activities.run.RunPlan;
import pacer.activities.run.Stage;
import pacer.activities.run.StageLog;
import pacer.activities.run.TestRuns;
import pacer.activities.run.TestStage;
import pacer.activities.staging.Staging;
import pacer.activities.staging.StagingRequest;
import pacer.activities.staging.StagingResult;
import pacer.trainer.durable.DurableFiles;
import pacer.trainer.text.DatasetManifest;
import pacer.trainer.text.Tokenization.Shard;

/** Datasets and staging with a store: two hosts, each a home of its own. */
class StoredDatasetsTest {
    @RegisterExtension
    private static final S3Server SERVER = new S3Server();

    @TempDir
    private Path folder;

    private final String prefix = "d" + UUID.randomUUID();
    private final TestStage stage = new TestStage();
    private FaultProxy proxy;
    private Store store;
    private Path text;

    @BeforeEach
    void open() throws IOException {
        proxy = new FaultProxy(SERVER.uri());
        store = Store.of(S3Server.environment(proxy.uri(), prefix)).orElseThrow();
        text = TestRuns.text(folder.resolve("text.txt"), 5);
    }

    @AfterEach
    void close() {
        store.close();
        proxy.close();
    }

    /** One machine. */
    private final class Host {
        private final Home home;
        private final RunPlan plan;
        private final Datasets datasets;
        private final Staging staging;

        Host(String name) throws IOException {
            home = TestRuns.home(folder.resolve(name));
            RunHub hub = new RunHub();
            StageLog log = new StageLog(home, hub, Clock.systemUTC());
            Optional<StoredDatasets> shared = Optional.of(new StoredDatasets(store));
            plan = TestRuns.open(home, hub, text);
            datasets = new Datasets(home, log, Clock.systemUTC(), FetchSettings.of(Map.of()), shared);
            staging =
                    new Staging(home, log, Clock.systemUTC(), shared, OptionalLong.empty(), FetchSettings.of(Map.of()));
        }

        DatasetResult prepare() throws IOException, InterruptedException {
            return datasets.prepare(new DatasetRequest(plan.run(), plan.dataset()), stage);
        }

        StagingResult stage(String hash) throws IOException, InterruptedException {
            return staging.stage(new StagingRequest(plan.run(), hash), stage);
        }

        Path staged(Shard shard) {
            return home.staged().resolve(shard.sha256() + ".bin");
        }

        Shard train(String hash) throws IOException {
            return Staging.manifest(home, hash).shards().getFirst();
        }
    }

    private String key(Shard shard) {
        return prefix + "/shards/" + shard.sha256() + ".bin";
    }

    @Test
    void whatOneHostMadeAnotherNeitherTokenizesNorSends() throws Exception {
        Host first = new Host("a");
        DatasetResult made = first.prepare();
        assertThat(made.reused()).isFalse();
        assertThat(first.stage(made.hash()).fromStore()).isZero();
        List<String> sent = proxy.requests("PUT ");
        assertThat(sent).hasSize(3).last().asString().contains("/datasets/" + made.hash() + ".json");

        Host second = new Host("b");
        DatasetResult found = second.prepare();
        assertThat(found.reused()).isTrue();
        assertThat(found.hash()).isEqualTo(made.hash());
        assertThat(second.home.datasets().resolve(made.hash())).doesNotExist();
        StagingResult staged = second.stage(made.hash());
        assertThat(staged.fromStore()).isEqualTo(2);
        assertThat(staged.fetched()).isEqualTo(2);
        assertThat(second.staged(second.train(made.hash())))
                .hasSameBinaryContentAs(first.staged(first.train(made.hash())));
        assertThat(proxy.requests("PUT ")).isEqualTo(sent);

        StagingResult again = second.stage(made.hash());
        assertThat(again.hits()).isEqualTo(2);
        assertThat(again.fromStore()).isZero();
    }

    @Test
    void aDatasetThatIsHereButNotInTheStoreIsSent() throws Exception {
        Host host = new Host("a");
        proxy.answer("(PUT|HEAD)", 500, 1000);
        String hash = host.prepare().hash();
        assertThat(stage.notices)
                .hasSize(2)
                .last()
                .asString()
                .contains("on this machine only", "s3://pacer/" + prefix, "500");
        proxy.heal();
        assertThat(host.prepare().reused()).isTrue();
        assertThat(SERVER.file(prefix + "/datasets/" + hash + ".json")).exists();
    }

    @Test
    void aManifestIsNeverThereBeforeItsShards() throws Exception {
        proxy.answer("PUT .*/shards/", 500, 1000);
        String hash = new Host("a").prepare().hash();
        assertThat(SERVER.file(prefix + "/datasets/" + hash + ".json")).doesNotExist();
    }

    @Test
    void aShardFlippedHereIsFetchedFromTheStore() throws Exception {
        Host host = new Host("a");
        String hash = host.prepare().hash();
        host.stage(hash);
        Shard shard = host.train(hash);
        byte[] whole = Files.readAllBytes(host.staged(shard));
        byte[] flipped = whole.clone();
        flipped[1030] ^= 1;
        Files.write(host.staged(shard), flipped); // the dataset's folder has it by another name

        StagingResult mended = host.stage(hash);

        assertThat(mended.mended()).isEqualTo(1);
        assertThat(mended.fromStore()).isEqualTo(1);
        assertThat(host.staged(shard)).hasBinaryContent(whole);
        assertThat(stage.notices).containsExactly(host.staged(shard) + " was damaged; it is fetched again");
    }

    @Test
    void aShardFlippedInTheStoreIsFoundAndStoredAnew() throws Exception {
        Host first = new Host("a");
        String hash = first.prepare().hash();
        first.stage(hash);
        Shard shard = first.train(hash);
        SERVER.flip(key(shard));
        Host second = new Host("b");
        second.prepare();

        assertThatThrownBy(() -> second.stage(hash))
                .isInstanceOfSatisfying(DamagedDataException.class, e -> assertThat(e.mendedBy())
                        .isEqualTo(Stage.DATASET));
        assertThat(stage.notices).anySatisfy(notice -> assertThat(notice).contains("damaged in the store"));

        assertThat(second.prepare().reused()).isFalse();
        assertThat(second.stage(hash).files()).isEqualTo(2);
        assertThat(SERVER.file(key(shard))).hasSameBinaryContentAs(first.staged(shard));
    }

    @Test
    void twoHostsThatMakeTheSameAtOnceBothHaveIt() throws Exception {
        Path other = Files.copy(text, folder.resolve("the-same-text.txt"));
        Host first = new Host("a");
        text = other;
        Host second = new Host("b");
        proxy.answer("HEAD .*/datasets/", 404, 2); // neither sees what the other has made so far
        DatasetResult made = first.prepare();
        proxy.answer("HEAD .*/datasets/", 404, 3);
        assertThat(second.prepare().hash()).isEqualTo(made.hash());
        assertThat(stage.notices).isEmpty();
    }

    @Test
    void aManifestWithNamesThatLeaveTheFolderIsRefused() throws Exception {
        Host host = new Host("a");
        String hash = host.prepare().hash();
        String key = "datasets/" + hash + ".json";
        String json = Files.readString(SERVER.file(prefix + "/" + key)).replace("train-000000.bin", "../../evil-0.bin");
        store.objects()
                .replace(
                        key,
                        Content.of(json.getBytes(java.nio.charset.StandardCharsets.UTF_8)),
                        TransferListener.NOBODY);
        DurableFiles.deleteTree(host.home.datasets());

        assertThat(host.prepare().reused()).isFalse();
        assertThat(stage.notices).singleElement().asString().contains("must be a plain name");
        DatasetManifest sound = DatasetManifest.parse(Files.readAllBytes(SERVER.file(prefix + "/" + key)), key);
        assertThat(sound.shards().getFirst().name()).isEqualTo("train-000000.bin");
        try (Stream<Path> all = Files.walk(folder)) {
            assertThat(all).noneMatch(p -> p.toString().contains("evil"));
        }
    }
}
