package pacer.activities.dataset;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import pacer.activities.run.BadInputException;
import pacer.activities.run.CacheUse;
import pacer.activities.run.FileChecks;
import pacer.activities.run.Home;
import pacer.activities.run.Progress;
import pacer.activities.run.Reasons;
import pacer.activities.run.RunFolder;
import pacer.activities.run.Stage;
import pacer.activities.run.StageContext;
import pacer.activities.run.StageLog;
import pacer.activities.store.StoredDatasets;
import pacer.trainer.Samples;
import pacer.trainer.data.BadDataException;
import pacer.trainer.data.Split;
import pacer.trainer.durable.DurableFiles;
import pacer.trainer.durable.FileGuard;
import pacer.trainer.durable.Sha256;
import pacer.trainer.spec.Catalogue;
import pacer.trainer.spec.Catalogues;
import pacer.trainer.spec.DatasetSpec;
import pacer.trainer.spec.SpecLoader;
import pacer.trainer.text.DatasetManifest;
import pacer.trainer.text.Tokenization;

/**
 * Prepares datasets: the raw file, verified, to token shards in {@code datasets/<hash>/}, the manifest last. The hash is over
 * everything that determines the bytes, so a dataset that is there is taken as it is, once its shards are proven; of several
 * who want the same one at once, in any number of processes, one makes it and the others take it.
 */
public final class Datasets {
    /** Part of the hash: to be changed when the same raw file would give other bytes. */
    private static final String LAYOUT = "1";

    private final Home home;
    private final StageLog log;
    private final Clock clock;
    private final RawFiles rawFiles;
    private final int shardTokens;
    private final Optional<StoredDatasets> store;
    private final ReadyFiles readyFiles;
    private final Function<String, Optional<Catalogue>> catalogues;
    private final Optional<Together> together;

    public Datasets(Home home, StageLog log, Clock clock, FetchSettings settings) {
        this(home, log, clock, settings, Optional.empty());
    }

    /** Datasets that are shared by way of {@code store}. */
    public Datasets(Home home, StageLog log, Clock clock, FetchSettings settings, Optional<StoredDatasets> store) {
        this(home, log, clock, settings, Tokenization.SHARD_TOKENS, store);
    }

    Datasets(
            Home home,
            StageLog log,
            Clock clock,
            FetchSettings settings,
            int shardTokens,
            Optional<StoredDatasets> store) {
        this(home, log, clock, settings, shardTokens, store, Catalogues::find);
    }

    Datasets(
            Home home,
            StageLog log,
            Clock clock,
            FetchSettings settings,
            int shardTokens,
            Optional<StoredDatasets> store,
            Function<String, Optional<Catalogue>> catalogues) {
        this(
                home,
                log,
                clock,
                new RawFiles(home.downloads(), settings, MavenJars.standard(), clock),
                new ReadyFiles(home.downloads(), settings, store.map(StoredDatasets::pins)),
                shardTokens,
                store,
                catalogues,
                Optional.empty());
    }

    private Datasets(
            Home home,
            StageLog log,
            Clock clock,
            RawFiles rawFiles,
            ReadyFiles readyFiles,
            int shardTokens,
            Optional<StoredDatasets> store,
            Function<String, Optional<Catalogue>> catalogues,
            Optional<Together> together) {
        this.home = home;
        this.log = log;
        this.clock = clock;
        this.rawFiles = rawFiles;
        this.readyFiles = readyFiles;
        this.shardTokens = shardTokens;
        this.store = store;
        this.catalogues = catalogues;
        this.together = together;
    }

    /** The same, but that datasets which the store lacks are made by all hosts that share it. */
    public Datasets together(Together others) {
        return new Datasets(
                home, log, clock, rawFiles, readyFiles, shardTokens, store, catalogues, Optional.of(others));
    }

    /** Makes datasets by way of all hosts that share the store. */
    @FunctionalInterface
    public interface Together {
        /**
         * Returns when the store has the dataset {@code hash}, or somebody believes so; others may be waiting for the same.
         *
         * @param spec its raw file pinned
         * @throws BadInputException when it cannot be made
         * @throws IOException when it may work another time
         */
        void make(String hash, DatasetSpec spec, StageContext context) throws IOException, InterruptedException;
    }

    /**
     * Prepares what {@code request} asks for.
     *
     * @throws BadInputException when the source or what comes from it cannot be used, or the run's prompt is not of its characters
     * @throws IOException when it may work another time
     */
    public DatasetResult prepare(DatasetRequest request, StageContext context)
            throws IOException, InterruptedException {
        if (request.run() == null) {
            return prepare(request.dataset(), Optional.empty(), context).result();
        }
        Optional<String> staged = staged(request.run());
        String key = Sha256.ofParts("dataset", request.dataset().toString());
        return log.run(
                request.run(),
                Stage.DATASET,
                key,
                DatasetResult.class,
                earlier -> false, // a look at the folder is cheap, and tells whether its shards are still sound
                context,
                () -> {
                    Prepared dataset = prepare(request.dataset(), staged, context);
                    requirePrompt(home.run(request.run()), dataset.manifest());
                    return dataset.result();
                });
    }

    /** The trainer would refuse it too, but only after the dataset was staged. */
    private static void requirePrompt(RunFolder run, DatasetManifest dataset) throws IOException {
        try {
            Samples.requirePrompt(SpecLoader.read(run.preset()).sample(), dataset);
        } catch (BadDataException e) {
            throw new BadInputException(e.getMessage(), e);
        }
    }

    /**
     * Refuses a local file of which one look says that it is no text, for whoever is about to start a run on this machine.
     *
     * @throws BadInputException naming file and rule
     */
    public static void requireLocalFile(DatasetSpec spec) throws IOException {
        if (Source.parse(spec.url()) instanceof Source.LocalFile(Path path)) {
            RawFiles.requireFile(path.toAbsolutePath().normalize());
        }
    }

    /** Hash of the dataset that the run was given before, on another host perhaps. */
    private Optional<String> staged(String run) throws IOException {
        return home.run(run)
                .read()
                .stage(Stage.STAGE)
                .flatMap(s -> Optional.ofNullable(s.result()))
                .map(result -> result.path("dataset").asText(""))
                .filter(hash -> hash.matches("[0-9a-f]{64}"));
    }

    private Prepared prepare(DatasetSpec spec, Optional<String> staged, StageContext context)
            throws IOException, InterruptedException {
        if (staged.isPresent() && isElsewhere(spec)) {
            Optional<DatasetManifest> known = look(staged.get(), context).manifest();
            if (known.isPresent()) {
                return new Prepared(staged.get(), known.get(), true);
            }
        }
        return prepare(spec, context);
    }

    /**
     * A dataset that is ready, here or in the store.
     *
     * @param reused whether it was there already
     */
    private record Prepared(String hash, DatasetManifest manifest, boolean reused) {
        DatasetResult result() {
            return Datasets.result(hash, manifest, reused);
        }
    }

    /** What is told of the dataset {@code hash}. */
    static DatasetResult result(String hash, DatasetManifest manifest, boolean reused) {
        return new DatasetResult(
                hash,
                manifest.source(),
                manifest.sha256(),
                manifest.bytes(),
                manifest.tokenizer(),
                manifest.vocabulary(),
                manifest.tokens(Split.TRAIN),
                manifest.tokens(Split.VALIDATION),
                manifest.shards().size(),
                reused);
    }

    /** Whether the text is a file of the host on which the run began, and not of this one. */
    private static boolean isElsewhere(DatasetSpec spec) {
        return Source.parse(spec.url()) instanceof Source.LocalFile(Path path) && !Files.exists(path);
    }

    private Prepared prepare(DatasetSpec spec, StageContext context) throws IOException, InterruptedException {
        if (Source.parse(spec.url()) instanceof Source.Ready) {
            ReadyDataset ready = ready(spec);
            String hash = ready.hash(LAYOUT);
            return prepare(hash, spec, folder -> ready.make(hash, folder, context), context);
        }
        // a pinned digest names the dataset without a look at the raw file; but a user's own file may be another
        // than the one that the preset pins, and nothing else would say so
        boolean unseen = !spec.sha256().isEmpty() && !(Source.parse(spec.url()) instanceof Source.LocalFile);
        Optional<RawFile> raw = unseen ? Optional.empty() : Optional.of(rawFiles.acquire(spec, context));
        DatasetSpec pinned = spec.withSha256(raw.map(RawFile::sha256).orElse(spec.sha256()));
        String hash = hash(pinned);
        return prepare(hash, pinned, folder -> make(spec, held(hash, pinned, raw, context), folder, context), context);
    }

    /** The raw file, kept in the cache for the dataset {@code hash}; brought again where the limit was quicker. */
    private RawFile held(String hash, DatasetSpec pinned, Optional<RawFile> raw, StageContext context)
            throws IOException, InterruptedException {
        if (!(Source.parse(pinned.url()) instanceof Source.LocalFile)) {
            CacheUse.byPreparation(hash, home.downloads().resolve(pinned.sha256()), context::check);
        }
        return raw.isPresent() && Files.exists(raw.get().path()) ? raw.get() : rawFiles.acquire(pinned, context);
    }

    /** The ready shards that {@code spec} asks for. */
    ReadyDataset ready(DatasetSpec spec) {
        Catalogue catalogue = catalogues
                .apply(spec.catalogue())
                .orElseThrow(() -> new BadInputException("dataset.url: there is no catalogue " + spec.catalogue()));
        return new ReadyDataset(catalogue, spec, readyFiles, clock, shardTokens);
    }

    /** {@code spec} with the digest of its raw file, where it has one. */
    DatasetSpec pinned(DatasetSpec spec, StageContext context) throws IOException, InterruptedException {
        return spec.ready() ? spec : spec.withSha256(rawFiles.digest(spec, context));
    }

    /** Names the dataset of {@code spec}, whose raw file is pinned. */
    String hash(DatasetSpec spec) {
        return spec.ready()
                ? ready(spec).hash(LAYOUT)
                : Sha256.ofParts(
                        "dataset",
                        LAYOUT,
                        spec.sha256(),
                        spec.format().name(),
                        spec.tokenizer().name(),
                        Double.toString(spec.validationFraction()),
                        Integer.toString(shardTokens));
    }

    RawFiles rawFiles() {
        return rawFiles;
    }

    int shardTokens() {
        return shardTokens;
    }

    Home home() {
        return home;
    }

    /** Makes a dataset in its folder, the manifest last. */
    @FunctionalInterface
    private interface Maker {
        DatasetManifest make(Path folder) throws IOException, InterruptedException;
    }

    /** Makes it; what it is made from is kept where another attempt will go on. */
    private DatasetManifest made(String hash, Path folder, Maker maker) throws IOException, InterruptedException {
        DatasetManifest manifest;
        try {
            manifest = maker.make(folder);
        } catch (BadInputException e) {
            CacheUse.prepared(home, hash);
            throw e;
        }
        CacheUse.touch(folder); // it may have taken longer than what is new is left alone
        CacheUse.prepared(home, hash);
        return manifest;
    }

    private Prepared prepare(String hash, DatasetSpec pinned, Maker maker, StageContext context)
            throws IOException, InterruptedException {
        Path folder = home.datasets().resolve(hash);
        try (FileGuard _ = FileGuard.take(home.datasets().resolve(hash + ".lock"), () -> {
            context.check();
            context.progress(at(null, "another process prepares this dataset"));
        })) {
            CacheUse.touch(folder);
            Optional<DatasetManifest> there = sound(folder, context);
            if (there.isPresent()) {
                share(hash, there.get(), folder, context);
                return new Prepared(hash, there.get(), true);
            }
            Look elsewhere = look(hash, context);
            if (elsewhere.manifest().isPresent()) {
                return new Prepared(hash, elsewhere.manifest().get(), true); // staging fetches its shards
            }
            if (together.isEmpty() || !elsewhere.answered()) {
                DatasetManifest made = made(hash, folder, maker);
                share(hash, made, folder, context);
                return new Prepared(hash, made, false);
            }
        }
        // the lock is free: this process may be one of those that make it
        together.get().make(hash, pinned, context);
        return store.orElseThrow()
                .read(hash, context)
                .map(made -> new Prepared(hash, made, false))
                .orElseThrow(() ->
                        new IOException("the dataset %s was made, but is not in the store %s any more; it is made again"
                                .formatted(hash, store.get().place())));
    }

    /**
     * What the store has.
     *
     * @param answered false where it did not answer, or there is none
     */
    private record Look(Optional<DatasetManifest> manifest, boolean answered) {}

    private Look look(String hash, StageContext context) throws InterruptedException {
        if (store.isEmpty()) {
            return new Look(Optional.empty(), false);
        }
        try {
            return new Look(store.get().read(hash, context), true);
        } catch (IOException e) {
            context.notice("the store gives no dataset: " + Reasons.of(e));
            return new Look(Optional.empty(), false);
        }
    }

    private void share(String hash, DatasetManifest manifest, Path folder, StageContext context)
            throws InterruptedException {
        if (store.isPresent()) {
            store.get().send(hash, manifest, folder, context, (fraction, text) -> context.progress(at(fraction, text)));
        }
    }

    /** The dataset in {@code folder} with every shard proven; a damaged one is cleared away, to be made again. */
    private Optional<DatasetManifest> sound(Path folder, StageContext context)
            throws IOException, InterruptedException {
        Optional<DatasetManifest> manifest = find(folder, context);
        if (manifest.isPresent()) {
            List<FileChecks.Expected> shards = manifest.get().shards().stream()
                    .map(shard -> new FileChecks.Expected(folder.resolve(shard.name()), shard.bytes(), shard.sha256()))
                    .toList();
            List<FileChecks.Expected> damaged = FileChecks.damaged(shards, (bytes, all) -> {
                context.check();
                context.progress(at((double) bytes / Math.max(1, all), "checking shards"));
            });
            if (damaged.isEmpty()) {
                return manifest;
            }
            context.notice(damaged.getFirst().file() + (damaged.size() == 1 ? "" : " and others")
                    + " damaged; the dataset is made again");
            Files.delete(folder.resolve(DatasetManifest.NAME)); // first: from here on it is no dataset
        }
        clear(folder);
        return Optional.empty();
    }

    private static Optional<DatasetManifest> find(Path folder, StageContext context) throws IOException {
        if (!Files.exists(folder.resolve(DatasetManifest.NAME))) {
            return Optional.empty();
        }
        try {
            return Optional.of(DatasetManifest.read(folder));
        } catch (BadDataException e) {
            context.notice(e.getMessage() + "; the dataset is made again");
            return Optional.empty();
        }
    }

    /** What a killed process left. Shards may be hard links to staged ones in use: names go, bytes stay for who has them. */
    private static void clear(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return;
        }
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
    }

    private DatasetManifest make(DatasetSpec spec, RawFile raw, Path folder, StageContext context)
            throws IOException, InterruptedException {
        Tokenization tokenization = new Tokenization(
                raw.path(),
                spec.format(),
                spec.tokenizer(),
                spec.validationFraction(),
                folder,
                shardTokens,
                Runtime.getRuntime().availableProcessors());
        Tokenization.Result tokens;
        try {
            tokens = tokenization.run((phase, done, total) -> {
                context.check();
                // both passes read the file once; the second does the work
                double share = (double) done / Math.max(1, total);
                double fraction = phase == Tokenization.Phase.SCAN ? 0.1 * share : 0.1 + 0.9 * share;
                context.progress(at(fraction, phase == Tokenization.Phase.SCAN ? "reading the text" : "making tokens"));
            });
        } catch (BadDataException e) {
            raw.checkUnchanged(); // a text that is being written may be sound the next time
            throw new BadInputException(e.getMessage(), e);
        }
        raw.checkUnchanged(); // else these tokens would lie under another text's hash
        DatasetManifest manifest = new DatasetManifest(
                spec.url(),
                raw.sha256(),
                raw.bytes(),
                spec.format(),
                spec.tokenizer(),
                tokens.vocabularySize(),
                tokens.characters(),
                spec.validationFraction(),
                tokens.shards());
        DurableFiles.write(folder.resolve(DatasetManifest.NAME), manifest.toJson());
        return manifest;
    }

    private Progress at(Double fraction, String text) {
        return Progress.of(Stage.DATASET, clock.instant(), fraction, text);
    }
}
