package pacer.activities.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.dataset.DatasetRequest;
import pacer.activities.dataset.Datasets;
import pacer.activities.dataset.FetchSettings;
import pacer.activities.staging.Staging;
import pacer.activities.staging.StagingRequest;
import pacer.trainer.durable.DurableFiles;
import pacer.trainer.durable.FileGuard;
import pacer.trainer.spec.DatasetSpec;
import pacer.trainer.spec.SpecLoader;

class LocalCacheTest {
    @TempDir
    private Path folder;

    private final TestStage stage = new TestStage();
    private final RunHub hub = new RunHub();
    private Home home;
    private StageLog log;

    @BeforeEach
    void prepare() {
        home = TestRuns.home(folder);
        log = new StageLog(home, hub, Clock.systemUTC());
    }

    /** A run of a text of its own, ended, its dataset staged {@code age} ago; the dataset's hash. */
    private String staged(String name, int kilobytes, Duration age) throws IOException, InterruptedException {
        Path text = TestRuns.text(folder.resolve(name + ".txt"), kilobytes);
        RunPlan plan = TestRuns.runs(home, hub)
                .open(new RunRequest("quickstart", TestRuns.overrides(text), null, null, name), "workflow-" + name);
        String hash = new Datasets(home, log, Clock.systemUTC(), FetchSettings.of(Map.of()))
                .prepare(new DatasetRequest(name, plan.dataset()), stage)
                .hash();
        new Staging(home, log, Clock.systemUTC()).stage(new StagingRequest(name, hash), stage);
        TestRuns.runs(home, hub).close(new RunEnding(name, RunStatus.FINISHED, null));
        FileTime then = FileTime.from(Instant.now().minus(age));
        for (Path path : new Path[] {home.datasets(), home.staged()}) {
            Files.setLastModifiedTime(path.resolve(hash), then);
            Files.setLastModifiedTime(path.resolve(hash + ".used"), then);
        }
        return hash;
    }

    private void shrink(long limit) throws IOException {
        new LocalCache(home, OptionalLong.of(limit), Clock.systemUTC()).shrink(stage);
    }

    private boolean isThere(String hash) {
        boolean staged = Files.exists(Staging.folder(home, hash).resolve("manifest.json"));
        assertThat(Files.exists(home.datasets().resolve(hash))).isEqualTo(staged);
        return staged;
    }

    private static int shards(Path staged) throws IOException {
        try (var files = Files.list(staged)) {
            return (int) files.filter(f -> f.toString().endsWith(".bin")).count();
        }
    }

    @Test
    void whatWasUsedLeastRecentlyGoes() throws Exception {
        String oldest = staged("oldest", 40, Duration.ofDays(3));
        String older = staged("older", 41, Duration.ofDays(2));
        String newest = staged("newest", 42, Duration.ofDays(1));

        shrink(190_000);

        assertThat(isThere(oldest)).isFalse();
        assertThat(isThere(older)).isTrue();
        assertThat(isThere(newest)).isTrue();
        assertThat(shards(home.staged())).isEqualTo(4);
        assertThat(stage.notices).singleElement().asString().startsWith("cache: the 1 datasets");
    }

    @Test
    void withinTheLimitNothingGoes() throws Exception {
        String dataset = staged("one", 40, Duration.ofDays(3));
        shrink(1_000_000);
        new LocalCache(home, OptionalLong.empty(), Clock.systemUTC()).shrink(stage);
        assertThat(isThere(dataset)).isTrue();
        assertThat(stage.notices).isEmpty();
    }

    @Test
    void whatARunAtWorkHasStays() throws Exception {
        String leased = staged("leased", 40, Duration.ofDays(3));
        String between = staged("between", 41, Duration.ofDays(3));
        String ended = staged("ended", 42, Duration.ofDays(1));
        home.run("between").update(r -> r.begun("workflow", TestRuns.MACHINE));
        Process other =
                OtherJvm.start(Holder.class, folder.resolve("log"), home.runs().toString(), "leased");
        try {
            assertThat(other.inputReader()).isNotNull();
            await(folder.resolve("log"), "leased");
            shrink(1000);
        } finally {
            other.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
        }
        assertThat(isThere(leased)).isTrue();
        assertThat(isThere(between)).isTrue();
        assertThat(isThere(ended)).isFalse();
        assertThat(stage.notices).hasSize(2).last().asString().contains("raise PACER_CACHE_LIMIT");

        stage.notices.clear();
        shrink(1000);
        assertThat(isThere(leased)).as("once its process has ended").isFalse();
    }

    /** Works on a run until it is killed. */
    static final class Holder {
        private Holder() {}

        public static void main(String[] args) throws Exception {
            try (RunLease lease =
                    new RunFolder(Path.of(args[0], args[1])).tryLease().orElseThrow()) {
                System.out.println("leased " + (lease != null));
                Thread.sleep(Duration.ofMinutes(1));
            }
        }
    }

    private static void await(Path file, String text) throws IOException, InterruptedException {
        while (!Files.exists(file) || !Files.readString(file).contains(text)) {
            Thread.sleep(10);
        }
    }

    @Test
    void whatIsBeingStagedOrWasUsedJustNowStays() throws Exception {
        String busy = staged("busy", 40, Duration.ofDays(3));
        String young = staged("young", 41, Duration.ofMinutes(5));
        try (FileGuard _ = FileGuard.take(home.staged().resolve(busy + ".lock"), () -> {})) {
            shrink(1000);
        }
        assertThat(isThere(busy)).isTrue();
        assertThat(isThere(young)).isTrue();
    }

    /** A dataset of the shards of that of the run {@code first}. */
    private String sharing() throws IOException, InterruptedException {
        DatasetSpec spec = SpecLoader.read(home.run("first").preset()).dataset();
        double almost = Math.nextUp(spec.validationFraction()); // another hash, the same cut
        DatasetSpec other = new DatasetSpec(spec.url(), "", spec.format(), spec.tokenizer(), almost);
        return new Datasets(home, log, Clock.systemUTC(), FetchSettings.of(Map.of()))
                .prepare(new DatasetRequest(null, other), stage)
                .hash();
    }

    @Test
    void shardsThatAnotherDatasetHasStay() throws Exception {
        String first = staged("first", 40, Duration.ofDays(3));
        String second = sharing();
        new Staging(home, log, Clock.systemUTC()).stage(new StagingRequest("first", second), stage);
        assertThat(shards(home.staged())).isEqualTo(2);

        shrink(1000);

        assertThat(isThere(first)).isFalse();
        assertThat(isThere(second)).as("used just now").isTrue();
        Staging.prove(home, second, (bytes, all) -> {});
    }

    private Path shard(char digit) throws IOException {
        return old(Files.write(home.staged().resolve(("" + digit).repeat(64) + ".bin"), new byte[5000]));
    }

    @Test
    void shardsThatNoDatasetHasGo() throws Exception {
        String dataset = staged("one", 40, Duration.ofDays(3));
        Path orphan = shard('a');
        Path young = shard('b');
        Files.setLastModifiedTime(young, FileTime.from(Instant.now().minus(Duration.ofMinutes(5))));

        shrink(LocalCache.bytes(home) - 1);

        assertThat(orphan).as("used least recently").doesNotExist();
        assertThat(young).as("its dataset may be about to name it").exists();
        assertThat(isThere(dataset)).isTrue();
        assertThat(shards(home.staged())).isEqualTo(3);
        assertThat(stage.notices).hasSize(1);
    }

    /** Stages until it is killed, here by an error that nobody handles, with one of its shards there. */
    @Test
    void theShardsOfAStagingThatWasKilledStayForItsRunAndGoAfterIt() throws Exception {
        String dataset = staged("killed", 40, Duration.ofDays(3));
        Path linked = Staging.folder(home, dataset);
        DurableFiles.deleteTree(linked);
        try (var files = Files.list(home.staged())) {
            for (Path shard :
                    files.filter(f -> f.toString().endsWith(".bin")).sorted().toList()) {
                Files.delete(shard);
            }
        }
        StageContext killed = new StageContext() {
            @Override
            public Stop stop() {
                if (Files.isSymbolicLink(linked.resolve("train-000000.bin"))) {
                    throw new KilledError();
                }
                return Stop.NONE;
            }

            @Override
            public void progress(Progress newest) {}

            @Override
            public void notice(String text) {}
        };
        TestRuns.begun(home.run("killed"), "workflow");
        assertThatThrownBy(() ->
                        new Staging(home, log, Clock.systemUTC()).stage(new StagingRequest("killed", dataset), killed))
                .isInstanceOf(KilledError.class);
        assertThat(linked.resolve("manifest.json")).doesNotExist();
        Path came = home.staged()
                .resolve(Files.readSymbolicLink(linked.resolve("train-000000.bin"))
                        .getFileName());
        Files.write(came, new byte[5000]);
        old(came);
        old(linked);

        shrink(1000);
        assertThat(came).as("of a run at work").exists();
        TestRuns.runs(home, hub).close(new RunEnding("killed", RunStatus.FINISHED, null));
        shrink(1000);
        assertThat(came).doesNotExist();
        assertThat(linked).doesNotExist();
    }

    private static final class KilledError extends Error {
        private static final long serialVersionUID = 1;
    }

    /** Another process stages a dataset of the same shards after it was looked what goes, and before it does. */
    @Test
    void aShardThatAStagingNamesMeanwhileStays() throws Exception {
        String first = staged("first", 40, Duration.ofDays(3));
        Path orphan = shard('a');
        String second = sharing();
        StageContext meanwhile = new StageContext() {
            @Override
            public Stop stop() {
                try {
                    new Staging(home, log, Clock.systemUTC()).stage(new StagingRequest("first", second), stage);
                } catch (IOException | InterruptedException e) {
                    throw new IllegalStateException(e);
                }
                return Stop.NONE;
            }

            @Override
            public void progress(Progress newest) {}

            @Override
            public void notice(String text) {}
        };

        new LocalCache(home, OptionalLong.of(1000), Clock.systemUTC()).shrink(meanwhile);

        assertThat(isThere(first)).isFalse();
        assertThat(orphan).doesNotExist();
        Staging.prove(home, second, (bytes, all) -> {});
    }

    @Test
    void downloadsGoToo() throws Exception {
        Files.createDirectories(home.downloads());
        Path old = Files.write(home.downloads().resolve("a".repeat(64)), new byte[5000]);
        Path used = Files.write(home.downloads().resolve("b".repeat(64)), new byte[5000]);
        FileTime then = FileTime.from(Instant.now().minus(Duration.ofDays(9)));
        Files.setLastModifiedTime(old, then);
        Files.setLastModifiedTime(used, then);
        CacheUse.touch(used);
        shrink(1000);
        assertThat(old).doesNotExist();
        assertThat(used).exists();
    }

    private Path old(Path thing) throws IOException {
        FileTime then = FileTime.from(Instant.now().minus(Duration.ofDays(9)));
        for (Path path : new Path[] {thing, CacheUse.beside(thing, ".used")}) {
            if (Files.exists(path)) {
                Files.setLastModifiedTime(path, then);
            }
        }
        return thing;
    }

    private Path oldWeights(char digit) throws IOException {
        Path weights = Files.createDirectories(home.weights().resolve(("" + digit).repeat(64)));
        Files.write(weights.resolve("model.safetensors"), new byte[5000]);
        return old(weights);
    }

    @Test
    void weightsAreCountedAndGoUnlessARunAtWorkHasThem() throws Exception {
        Path unused = oldWeights('a');
        Path ended = oldWeights('b');
        Path working = oldWeights('c');
        Path inHand = oldWeights('d');
        for (String run : new String[] {"ended", "working"}) {
            var _ = TestRuns.runs(home, hub)
                    .open(
                            new RunRequest(
                                    "quickstart",
                                    TestRuns.overrides(TestRuns.text(folder.resolve("t.txt"), 20)),
                                    null,
                                    null,
                                    run),
                            "workflow");
            CacheUse.by(home.run(run), run.equals("ended") ? ended : working, () -> {});
        }
        TestRuns.runs(home, hub).close(new RunEnding("ended", RunStatus.FINISHED, null));
        old(ended);
        old(working);
        assertThat(LocalCache.bytes(home)).isGreaterThanOrEqualTo(20_000);

        shrink(1_000_000);
        assertThat(unused).as("within the limit").exists();
        try (FileGuard _ = FileGuard.take(CacheUse.beside(inHand, ".lock"), () -> {})) {
            shrink(1000);
        }
        assertThat(unused).doesNotExist();
        assertThat(ended).doesNotExist();
        assertThat(working).as("its run may begin again with them").isNotEmptyDirectory();
        assertThat(inHand).as("somebody is about to take them").isNotEmptyDirectory();
        TestRuns.runs(home, hub).close(new RunEnding("working", RunStatus.FINISHED, null));
        shrink(1000);
        assertThat(working).doesNotExist();
        assertThat(inHand).doesNotExist();
    }

    /** Prepares a dataset until it is killed. */
    static final class Preparer {
        private Preparer() {}

        public static void main(String[] args) throws Exception {
            Home home = new Home(Path.of(args[0]), Path.of(args[1]));
            try (FileGuard _ = FileGuard.take(home.datasets().resolve(args[2] + ".lock"), () -> {})) {
                CacheUse.byPreparation(args[2], home.downloads().resolve(args[3]), () -> {});
                System.out.println("prepares");
                Thread.sleep(Duration.ofMinutes(1));
            }
        }
    }

    @Test
    void whatAnotherProcessMakesADatasetFromStaysWhileOthersCome() throws Exception {
        String dataset = "1".repeat(64);
        String file = "e".repeat(64);
        Files.createDirectories(home.downloads());
        Path came = old(Files.write(home.downloads().resolve(file), new byte[5000]));
        Path mark = home.downloads().resolve(file + ".datasets").resolve(dataset);
        Process other = OtherJvm.start(
                Preparer.class,
                folder.resolve("log"),
                home.runs().toString(),
                home.cache().toString(),
                dataset,
                file);
        try {
            await(folder.resolve("log"), "prepares");
            old(came);
            old(mark); // it has been at it for days
            shrink(1000);
            assertThat(came).as("of a preparation at work").exists();
        } finally {
            other.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
        }
        Files.setLastModifiedTime(mark, FileTime.from(Instant.now().minus(Duration.ofHours(5))));
        shrink(1000);
        assertThat(came).as("its next attempt goes on with it").exists();
        old(mark);
        shrink(1000);
        assertThat(came).as("nobody went on").doesNotExist();
        assertThat(mark.getParent()).doesNotExist();
    }

    @Test
    void whoKeepsAFileWaitsForWhoDeletesIt() throws Exception {
        Files.createDirectories(home.downloads());
        Path file = Files.write(home.downloads().resolve("f".repeat(64)), new byte[10]);
        Thread preparer;
        try (FileGuard _ = FileGuard.take(CacheUse.beside(file, ".lock"), () -> {})) {
            preparer = Thread.ofVirtual().start(() -> {
                try {
                    CacheUse.byPreparation("1".repeat(64), file, () -> {});
                } catch (IOException | InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
            assertThat(preparer.join(Duration.ofMillis(300))).isFalse();
            assertThat(CacheUse.beside(file, ".datasets")).doesNotExist();
        }
        assertThat(preparer.join(Duration.ofSeconds(10))).isTrue();
        assertThat(CacheUse.beside(file, ".datasets")).isNotEmptyDirectory();
        CacheUse.prepared(home, "1".repeat(64));
        assertThat(CacheUse.beside(file, ".datasets")).isEmptyDirectory();
    }

    @Test
    void limitsAreSizes() {
        assertThat(LocalCache.limit(Map.of())).isEmpty();
        assertThat(LocalCache.limit(Map.of("PACER_CACHE_LIMIT", "200GB"))).hasValue(200_000_000_000L);
        assertThat(LocalCache.limit(Map.of("PACER_CACHE_LIMIT", "1500"))).hasValue(1500);
        assertThat(LocalCache.limit(Map.of("PACER_CACHE_LIMIT", "2 tb"))).hasValue(2_000_000_000_000L);
        assertThatThrownBy(() -> LocalCache.limit(Map.of("PACER_CACHE_LIMIT", "much")))
                .isInstanceOf(BadInputException.class)
                .hasMessage("PACER_CACHE_LIMIT: 'much' is no size; write 200GB, 500MB or 2TB");
    }
}
