package pacer.activities.staging;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;
import pacer.activities.dataset.FetchSettings;
import pacer.activities.dataset.HellaSwagFile;
import pacer.activities.run.CacheUse;
import pacer.activities.run.DamagedDataException;
import pacer.activities.run.FileChecks;
import pacer.activities.run.Home;
import pacer.activities.run.LocalCache;
import pacer.activities.run.Progress;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunRecord;
import pacer.activities.run.Stage;
import pacer.activities.run.StageContext;
import pacer.activities.run.StageLog;
import pacer.activities.store.StoredDatasets;
import pacer.activities.weights.WeightFolders;
import pacer.trainer.data.BadDataException;
import pacer.trainer.durable.DurableFiles;
import pacer.trainer.durable.FileGuard;
import pacer.trainer.durable.Sha256;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecLoader;
import pacer.trainer.text.DatasetManifest;
import pacer.trainer.text.Tokenization.Shard;

/**
 * Brings the shards of a dataset to the local disk of the host that trains. They lie there under their digest
 * ({@code staged/<sha256>.bin}), so that datasets share what they have in common; each comes from the
 * dataset's folder on this machine or else from the store, and is proven by it every time; and
 * under their names in {@code staged/<hash of the dataset>/}, as links, beside the manifest: that is what a trainer is given.
 */
public final class Staging {
    private final Home home;
    private final StageLog log;
    private final Clock clock;
    private final Optional<StoredDatasets> store;
    private final LocalCache cache;
    private final WeightFolders weights;
    private final HellaSwagFile hellaSwag;

    public Staging(Home home, StageLog log, Clock clock) {
        this(home, log, clock, Optional.empty(), OptionalLong.empty(), FetchSettings.of(Map.of()));
    }

    /**
     * Staging of datasets that may lie in {@code store} only.
     *
     * @param limit what this machine's cache may hold, in bytes
     * @param fetching how weights and examples are fetched
     */
    public Staging(
            Home home,
            StageLog log,
            Clock clock,
            Optional<StoredDatasets> store,
            OptionalLong limit,
            FetchSettings fetching) {
        this.weights = new WeightFolders(home.weights(), fetching, clock);
        this.hellaSwag = new HellaSwagFile(home.downloads(), fetching, clock);
        this.cache = new LocalCache(home, limit, clock);
        this.home = home;
        this.log = log;
        this.clock = clock;
        this.store = store;
    }

    /** The folder of the weights that were staged for the training of {@code run}; empty where it draws them. */
    public static Optional<Path> weights(RunRecord run) {
        return run.stage(Stage.STAGE)
                .map(stage -> stage.resultAs(StagingResult.class))
                .map(StagingResult::weights)
                .map(Path::of);
    }

    /** The file of HellaSwag's examples that was staged for {@code run}; empty where it does not measure them. */
    public static Optional<Path> hellaSwag(RunRecord run) {
        return run.stage(Stage.STAGE)
                .map(stage -> stage.resultAs(StagingResult.class))
                .map(StagingResult::hellaSwag)
                .map(Path::of);
    }

    /** The folder that a trainer of the dataset {@code hash} is given. */
    public static Path folder(Home home, String hash) {
        return home.staged().resolve(hash);
    }

    /**
     * Stages what {@code request} asks for.
     *
     * @throws DamagedDataException when a shard is damaged where it comes from; preparing the dataset again mends that
     */
    public StagingResult stage(StagingRequest request, StageContext context) throws IOException, InterruptedException {
        String key = Sha256.ofParts("stage", request.dataset());
        return log.run(
                request.run(),
                Stage.STAGE,
                key,
                StagingResult.class,
                earlier -> false, // every shard is proven each time
                context,
                () -> stageAndShrink(request, context));
    }

    /** Stages the dataset {@code hash} for ranks of {@code run}, whose folder is on another host: from the store, unless it is here. */
    public void stageForRanks(String hash, String run, StageContext context) throws IOException, InterruptedException {
        StagingResult _ = stage(hash, home.run(run), context);
        cache.shrink(context);
    }

    private StagingResult stageAndShrink(StagingRequest request, StageContext context)
            throws IOException, InterruptedException {
        RunFolder run = home.run(request.run());
        StagingResult staged = stage(request.dataset(), run, context);
        RunSpec spec = SpecLoader.read(run.preset());
        // what has a checkpoint goes on from that, and their home may be gone
        if (spec.weights().given() && run.newestStep() == 0) {
            staged = staged.withWeights(weights.bring(spec.weights(), spec.model(), run, context));
        }
        if (spec.hellaSwag().given()) {
            staged = staged.withHellaSwag(hellaSwag.bring(spec.hellaSwag(), run, context));
        }
        cache.shrink(context);
        return staged;
    }

    private StagingResult stage(String hash, RunFolder run, StageContext context)
            throws IOException, InterruptedException {
        Files.createDirectories(home.staged());
        // two at once would clear away each other's temporary links
        try (FileGuard _ = FileGuard.take(home.staged().resolve(hash + ".lock"), () -> {
            context.check();
            context.progress(Progress.of(Stage.STAGE, clock.instant(), null, "another process stages this dataset"));
        })) {
            CacheUse.by(run, folder(home, hash));
            return stageAlone(hash, context);
        }
    }

    private StagingResult stageAlone(String hash, StageContext context) throws IOException, InterruptedException {
        Path dataset = home.datasets().resolve(hash);
        DatasetManifest manifest = prepared(hash, dataset, context);
        Path folder = folder(home, hash);
        Files.createDirectories(folder);
        DurableFiles.sweep(home.staged(), Duration.ofDays(1));
        link(manifest, folder); // before the look: what has a name there stays, whoever makes room meanwhile
        Set<String> wrong = damaged(manifest.shards(), context);
        int mended = 0;
        for (Shard shard : manifest.shards()) {
            context.check();
            if (wrong.contains(shard.sha256())) {
                if (Files.deleteIfExists(staged(shard))) {
                    mended++;
                    context.notice(staged(shard) + " was damaged; it is fetched again");
                }
                if (Files.exists(dataset.resolve(shard.name()))) {
                    fetch(dataset.resolve(shard.name()), shard);
                }
            }
        }
        Set<String> missing = wrong.isEmpty() ? wrong : damaged(manifest.shards(), context);
        int fromStore = 0;
        for (Shard shard : manifest.shards()) {
            if (missing.contains(shard.sha256())) {
                if (!fetchFromStore(hash, shard, context)) {
                    throw damagedAtItsSource(dataset);
                }
                fromStore++;
            }
        }
        complete(manifest, folder);
        int hits = (int) manifest.shards().stream()
                .filter(shard -> !wrong.contains(shard.sha256()))
                .count();
        long bytes = manifest.shards().stream().mapToLong(Shard::bytes).sum();
        int files = manifest.shards().size();
        return new StagingResult(hash, files, bytes, hits, files - hits, mended, fromStore);
    }

    /** Of the dataset's folder or, where this machine has none, of the store. */
    private DatasetManifest prepared(String hash, Path dataset, StageContext context)
            throws IOException, InterruptedException {
        try {
            return DatasetManifest.read(dataset);
        } catch (BadDataException e) {
            Optional<DatasetManifest> stored = store.isPresent() ? store.get().read(hash, context) : Optional.empty();
            // another run may have found it damaged, and be about to make it anew
            String what = e.getMessage() + "; the run, or resuming it, makes the dataset anew";
            return stored.orElseThrow(() -> Files.exists(dataset.resolve(DatasetManifest.NAME))
                    ? new DamagedDataException(what, Stage.DATASET)
                    : DamagedDataException.evicted(what, Stage.DATASET));
        }
    }

    private boolean fetchFromStore(String hash, Shard shard, StageContext context)
            throws IOException, InterruptedException {
        return store.isPresent()
                && store.get()
                        .fetch(
                                hash,
                                shard,
                                staged(shard),
                                context,
                                (fraction, text) ->
                                        context.progress(Progress.of(Stage.STAGE, clock.instant(), fraction, text)));
    }

    /** Staging it again would bring the same bytes; without its manifest it is no dataset, and is made anew. */
    private static DamagedDataException damagedAtItsSource(Path dataset) throws IOException {
        Files.deleteIfExists(dataset.resolve(DatasetManifest.NAME));
        return new DamagedDataException(
                dataset + ": a shard is damaged; the run, or resuming it, makes the dataset anew; check the disk",
                Stage.DATASET);
    }

    /**
     * Proves what is staged of the dataset {@code hash}, as staging did, for whoever reads it much later.
     *
     * @throws DamagedDataException when a shard is not what its digest says any more, or is not there
     */
    public static void prove(Home home, String hash, FileChecks.Listener listener)
            throws IOException, InterruptedException {
        List<FileChecks.Expected> damaged =
                FileChecks.damaged(expected(home, manifest(home, hash).shards()), listener);
        if (!damaged.isEmpty()) {
            String what = damaged.getFirst().file() + (damaged.size() == 1 ? "" : " and others");
            throw damaged.stream().anyMatch(shard -> Files.exists(shard.file())) ? damagedCopy(what) : evicted(what);
        }
    }

    /**
     * The manifest of what is staged of the dataset {@code hash}.
     *
     * @throws DamagedDataException when there is none
     */
    public static DatasetManifest manifest(Home home, String hash) throws IOException {
        try {
            return DatasetManifest.read(folder(home, hash));
        } catch (BadDataException e) {
            throw Files.exists(folder(home, hash).resolve(DatasetManifest.NAME))
                    ? damagedCopy(e.getMessage())
                    : evicted(e.getMessage());
        }
    }

    private static DamagedDataException evicted(String what) {
        return DamagedDataException.evicted(
                what + ": gone from the cache since it was staged; the run, or resuming it, stages it anew",
                Stage.STAGE);
    }

    private static DamagedDataException damagedCopy(String what) {
        return new DamagedDataException(
                what + ": damaged since it was staged; the run, or resuming it, stages it anew; check the disk",
                Stage.STAGE);
    }

    private static List<FileChecks.Expected> expected(Home home, List<Shard> shards) {
        return shards.stream()
                .map(shard -> new FileChecks.Expected(staged(home, shard), shard.bytes(), shard.sha256()))
                .toList();
    }

    /** Digests of the shards that are not there as they should be. */
    private Set<String> damaged(List<Shard> shards, StageContext context) throws IOException, InterruptedException {
        Set<String> digests = new HashSet<>();
        FileChecks.damaged(expected(home, shards), (bytes, all) -> {
                    context.check();
                    context.progress(Progress.of(
                            Stage.STAGE, clock.instant(), (double) bytes / Math.max(1, all), "checking shards"));
                })
                .forEach(file -> digests.add(file.sha256()));
        return digests;
    }

    /** Links or, across file systems, copies a shard to its place. */
    private void fetch(Path source, Shard shard) throws IOException {
        Path target = staged(shard);
        Path beside = DurableFiles.beside(target);
        try {
            try {
                Files.createLink(beside, source);
            } catch (UnsupportedOperationException | FileSystemException e) {
                Files.copy(source, beside);
                DurableFiles.sync(beside);
            }
            DurableFiles.move(beside, target);
        } finally {
            Files.deleteIfExists(beside);
        }
    }

    /** Names for the shards, which need not be there yet. */
    private void link(DatasetManifest manifest, Path folder) throws IOException {
        for (Shard shard : manifest.shards()) {
            Path name = folder.resolve(shard.name());
            Path target = Path.of("..", staged(shard).getFileName().toString());
            if (!Files.isSymbolicLink(name) || !Files.readSymbolicLink(name).equals(target)) {
                Path beside = DurableFiles.beside(name);
                try {
                    Files.createSymbolicLink(beside, target);
                    DurableFiles.move(beside, name);
                } finally {
                    Files.deleteIfExists(beside);
                }
            }
        }
    }

    /** The manifest, now that all the shards are there; what else is there goes. */
    private static void complete(DatasetManifest manifest, Path folder) throws IOException {
        Set<String> names = new HashSet<>(Set.of(DatasetManifest.NAME));
        manifest.shards().forEach(shard -> names.add(shard.name()));
        Path target = folder.resolve(DatasetManifest.NAME);
        byte[] json = manifest.toJson();
        if (!Files.exists(target) || !Arrays.equals(Files.readAllBytes(target), json)) {
            DurableFiles.write(target, json);
        }
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                if (!names.contains(file.getFileName().toString())) {
                    Files.deleteIfExists(file);
                }
            }
        }
    }

    private Path staged(Shard shard) {
        return staged(home, shard);
    }

    private static Path staged(Home home, Shard shard) {
        return home.staged().resolve(shard.sha256() + ".bin");
    }
}
