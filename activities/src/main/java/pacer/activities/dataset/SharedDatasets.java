package pacer.activities.dataset;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import pacer.activities.dataset.Preparation.BroughtFile;
import pacer.activities.dataset.Preparation.Division;
import pacer.activities.dataset.Preparation.FileRequest;
import pacer.activities.dataset.Preparation.FinishRequest;
import pacer.activities.dataset.Preparation.JoinRequest;
import pacer.activities.dataset.Preparation.PartRequest;
import pacer.activities.dataset.Preparation.Piece;
import pacer.activities.run.BadInputException;
import pacer.activities.run.PreparationRequest;
import pacer.activities.run.Progress;
import pacer.activities.run.RunJson;
import pacer.activities.run.Stage;
import pacer.activities.run.StageContext;
import pacer.activities.store.StoredDatasets;
import pacer.activities.store.StoredObject;
import pacer.activities.store.StoredParts;
import pacer.activities.store.TransferListener;
import pacer.trainer.data.BadDataException;
import pacer.trainer.durable.Host;
import pacer.trainer.durable.Sha256;
import pacer.trainer.spec.DatasetSpec;
import pacer.trainer.spec.DatasetSpec.Format;
import pacer.trainer.text.DatasetManifest;
import pacer.trainer.text.TextParts;
import pacer.trainer.text.Tokenization.Shard;
import pacer.trainer.text.Tokenizer;

/**
 * The steps of a dataset that several hosts make together, by way of the store that they share. Each can be done again by any host at any point:
 * what it stores has a name that says which bytes it is, and what is stored is not made again.
 */
public final class SharedDatasets {
    private static final int HEADER = 1024; // bytes of a shard that are no tokens
    private static final int MOST_PARTS = 1000;

    private final Datasets datasets;
    private final StoredDatasets store;
    private final PreparationSettings settings;
    private final Datasets.Together together;
    private final Clock clock;

    /**
     * Steps of datasets of {@code store}.
     *
     * @param datasets makes datasets on this host alone
     * @param together waits for executions
     */
    public SharedDatasets(
            Datasets datasets,
            StoredDatasets store,
            PreparationSettings settings,
            Datasets.Together together,
            Clock clock) {
        this.datasets = datasets;
        this.store = store;
        this.settings = settings;
        this.together = together;
        this.clock = clock;
    }

    /**
     * What the hosts share of a text's division, {@code plan-<its digest>.json}.
     *
     * @param fromHome whether the home of the raw file gives parts of it; else they are in the store
     */
    record Plan(TextParts text, long rawBytes, boolean fromHome) {}

    Preparation find(PreparationRequest request, StageContext context) throws IOException, InterruptedException {
        return find(request.resolve(), context);
    }

    Preparation find(DatasetSpec asked, StageContext context) throws IOException, InterruptedException {
        DatasetSpec spec = datasets.pinned(asked, context);
        String hash = datasets.hash(spec);
        return new Preparation(
                hash,
                spec,
                Host.name(),
                isBound(spec),
                store.place(),
                settings.parallel(),
                spec.ready() ? datasets.ready(spec).wanted().size() : 0,
                store.read(hash, context)
                        .map(manifest -> Datasets.result(hash, manifest, true))
                        .orElse(null));
    }

    /** Whether what {@code spec} names are files of one host. */
    public static boolean isBound(DatasetSpec spec) {
        return Source.parse(spec.url()) instanceof Source.LocalFile
                || spec.mirrorList().stream().anyMatch(mirror -> mirror.startsWith("file:"));
    }

    DatasetResult await(Preparation preparation, StageContext context) throws IOException, InterruptedException {
        together.make(preparation.hash(), preparation.dataset(), context);
        return made(preparation, context);
    }

    private DatasetResult made(Preparation preparation, StageContext context) throws IOException, InterruptedException {
        return store.read(preparation.hash(), context)
                .map(manifest -> Datasets.result(preparation.hash(), manifest, false))
                .orElseThrow(() -> new IOException(
                        "the dataset %s was made, but is not in the store %s; it is stored by another attempt"
                                .formatted(preparation.hash(), store.place())));
    }

    /** Brings one file of a catalogue to the store, by way of this host's disk unless it is there already. */
    BroughtFile bring(FileRequest request, StageContext context) throws IOException, InterruptedException {
        requireStore(request.of());
        ReadyDataset ready = datasets.ready(request.of().dataset());
        Optional<BroughtFile> there = ready.isCut() ? Optional.empty() : stored(ready, request.index(), context);
        if (there.isPresent()) {
            return there.get();
        }
        Optional<Path> kept = ready.kept(request.index(), context);
        ReadyFiles.Ready file = ready.bring(request.index(), context);
        if (!ready.isCut()) {
            Shard shard = ready.shard(request.index(), file);
            store.sendShard(file.path(), shard, sending(shard.name(), context));
            if (kept.isEmpty()) {
                Files.deleteIfExists(file.path()); // whoever trains on it stages it from the store
            }
            return new BroughtFile(file.sha256(), file.bytes(), file.trusted(), List.of(shard));
        }
        try (Workbench bench = workbench()) {
            List<Shard> shards = ready.cut(request.index(), file, bench.folder(), context);
            for (Shard shard : shards) {
                store.sendShard(bench.folder().resolve(shard.name()), shard, sending(shard.name(), context));
            }
            return new BroughtFile(file.sha256(), file.bytes(), file.trusted(), shards);
        }
    }

    private Optional<BroughtFile> stored(ReadyDataset ready, int index, StageContext context)
            throws IOException, InterruptedException {
        Optional<String> pinned = ready.pinned(index, context);
        OptionalLong bytes = pinned.isPresent() ? store.shardBytes(pinned.get(), context) : OptionalLong.empty();
        if (bytes.isEmpty()) {
            return Optional.empty();
        }
        long size = bytes.getAsLong();
        ReadyFiles.Ready file = new ReadyFiles.Ready(null, pinned.get(), size, (size - HEADER) / 2, false);
        return Optional.of(new BroughtFile(file.sha256(), size, false, List.of(ready.shard(index, file))));
    }

    /**
     * Brings the raw file to this host, which proves its digest once for all, and divides it. A text of one part is made to a dataset at once.
     *
     * @throws BadInputException when the raw file cannot be had, or is not what it should be
     */
    Division divide(Preparation preparation, StageContext context) throws IOException, InterruptedException {
        requireStore(preparation);
        Optional<DatasetManifest> there = store.read(preparation.hash(), context);
        if (there.isPresent()) { // of an attempt whose answer was lost
            return whole(Datasets.result(preparation.hash(), there.get(), false));
        }
        DatasetSpec spec = preparation.dataset();
        RawFile raw = datasets.rawFiles().acquire(spec, context);
        if (raw.bytes() <= settings.partBytes()) {
            DatasetResult _ = datasets.prepare(new DatasetRequest(null, spec), context);
            return whole(made(preparation, context));
        }
        try (Workbench bench = workbench()) {
            boolean rows = spec.format() == Format.PARQUET;
            Path text = rows ? bench.folder().resolve("documents.jsonl") : raw.path();
            if (rows) {
                TextParts.unpack(raw.path(), text, (_, done, all) -> at(context, done, all, "unpacking rows"));
            }
            TextParts parts = TextParts.of(
                    text,
                    spec.url(),
                    rows ? Format.JSONL : spec.format(),
                    spec.tokenizer(),
                    spec.validationFraction(),
                    Math.max(settings.partBytes(), Files.size(text) / MOST_PARTS),
                    threads(),
                    (_, done, all) -> at(context, done, all, "reading the text"));
            raw.checkUnchanged();
            boolean fromHome = !rows && datasets.rawFiles().givesRanges(Source.parse(spec.url()));
            StoredParts shared = store.parts(preparation.hash());
            if (!fromHome) {
                send(parts, text, shared, context);
                raw.checkUnchanged();
            }
            byte[] plan = RunJson.MAPPER.writeValueAsBytes(new Plan(parts, raw.bytes(), fromHome));
            shared.put(planName(Sha256.of(plan)), plan, context);
            return new Division(Sha256.of(plan), parts.parts().size(), Files.size(text), datasets.shardTokens(), null);
        } catch (BadDataException e) {
            raw.checkUnchanged(); // a text that is being written may be sound the next time
            throw inRows(e, spec);
        }
    }

    private static Division whole(DatasetResult result) {
        return new Division(null, 0, 0, 0, result);
    }

    private void send(TextParts parts, Path text, StoredParts shared, StageContext context)
            throws IOException, InterruptedException {
        long all = parts.parts().stream().mapToLong(TextParts.Part::bytes).sum();
        for (TextParts.Part part : parts.parts()) {
            long before = part.from();
            shared.put(
                    textName(part),
                    text,
                    part.from(),
                    part.bytes(),
                    part.sha256(),
                    (done, _) -> at(context, before + done, all, "sending parts of the text to the store"));
        }
    }

    Piece tokenize(PartRequest request, StageContext context) throws IOException, InterruptedException {
        requireStore(request.of());
        StoredParts shared = store.parts(request.of().hash());
        Plan plan = plan(request.plan(), shared, context);
        TextParts.Part part = plan.text().parts().get(request.index());
        Optional<StoredObject> there = shared.find(tokensName(part), context);
        if (there.isPresent()) {
            return piece(part, there.get().bytes(), there.get().sha256().orElseThrow());
        }
        try (Workbench bench = workbench()) {
            Path text = bench.folder().resolve("text");
            TransferListener fetching = (done, all) -> at(context, done, all, "fetching part " + request.index());
            if (!datasets.rawFiles()
                    .range(request.of().dataset(), plan.rawBytes(), part, plan.fromHome(), text, fetching)) {
                shared.get(textName(part), part.bytes(), part.sha256(), text, fetching);
            }
            Shard tokens = plan.text()
                    .tokens(
                            request.index(),
                            text,
                            bench.folder(),
                            threads(),
                            (_, done, all) -> at(context, done, all, "making tokens of part " + request.index()));
            if (tokens == null) {
                return new Piece(part.split(), part.from(), part.to(), 0, 0, "");
            }
            shared.put(
                    tokensName(part),
                    bench.folder().resolve(tokens.name()),
                    0,
                    tokens.bytes(),
                    tokens.sha256(),
                    sending("tokens", context));
            return piece(part, tokens.bytes(), tokens.sha256());
        } catch (BadDataException e) {
            throw inRows(e, request.of().dataset());
        }
    }

    private static Piece piece(TextParts.Part part, long bytes, String sha256) {
        return new Piece(part.split(), part.from(), part.to(), (bytes - HEADER) / 2, bytes, sha256);
    }

    Shard join(JoinRequest request, StageContext context) throws IOException, InterruptedException {
        requireStore(request.of());
        StoredParts shared = store.parts(request.of().hash());
        String name = request.shard().name();
        try (Workbench bench = workbench()) {
            List<Path> files = new ArrayList<>();
            for (Piece piece : request.pieces()) {
                Path file = bench.folder().resolve("piece-" + files.size());
                shared.get(
                        tokensName(piece.from(), piece.to()),
                        piece.bytes(),
                        piece.sha256(),
                        file,
                        (done, all) -> at(context, done, all, "fetching tokens of " + name));
                files.add(file);
            }
            Shard shard = TextParts.join(
                    request.shard(),
                    files,
                    bench.folder(),
                    (_, done, all) -> at(context, done, all, "joining " + name));
            store.sendShard(bench.folder().resolve(name), shard, sending(name, context));
            return shard;
        }
    }

    /** The manifest, last; from then on it is a dataset, and what was shared on the way goes. */
    DatasetResult finish(FinishRequest request, StageContext context) throws IOException, InterruptedException {
        requireStore(request.of());
        Preparation preparation = request.of();
        long trusted = request.files().stream().filter(BroughtFile::trusted).count();
        if (trusted > 0) {
            context.notice(ReadyDataset.trusted(preparation.dataset().catalogue(), trusted, store.place() + "/pins"));
        }
        StoredParts shared = store.parts(preparation.hash());
        if (store.read(preparation.hash(), context).isEmpty()) {
            DatasetManifest manifest = preparation.dataset().ready()
                    ? datasets.ready(preparation.dataset())
                            .manifest(
                                    request.files().stream()
                                            .map(BroughtFile::sha256)
                                            .toList(),
                                    request.files().stream()
                                            .mapToLong(BroughtFile::bytes)
                                            .sum(),
                                    request.shards())
                    : manifest(preparation.dataset(), plan(request.plan(), shared, context), request.shards());
            store.sendManifest(preparation.hash(), manifest, context);
        }
        shared.clear(context);
        return made(preparation, context);
    }

    boolean drop(Preparation preparation, StageContext context) throws IOException, InterruptedException {
        requireStore(preparation);
        store.parts(preparation.hash()).clear(context);
        return true;
    }

    private static DatasetManifest manifest(DatasetSpec spec, Plan plan, List<Shard> shards) {
        Tokenizer tokenizer = Tokenizer.of(spec.tokenizer(), plan.text().characters());
        return new DatasetManifest(
                spec.url(),
                spec.sha256(),
                plan.rawBytes(),
                spec.format(),
                spec.tokenizer(),
                tokenizer.vocabularySize(),
                tokenizer.characters(),
                spec.validationFraction(),
                shards);
    }

    private static Plan plan(String digest, StoredParts shared, StageContext context)
            throws IOException, InterruptedException {
        return RunJson.MAPPER.readValue(shared.read(planName(digest), context), Plan.class);
    }

    private static String planName(String digest) {
        return "plan-" + digest + ".json";
    }

    private static String textName(TextParts.Part part) {
        return "text/%d-%d".formatted(part.from(), part.to());
    }

    private static String tokensName(TextParts.Part part) {
        return tokensName(part.from(), part.to());
    }

    private static String tokensName(long from, long to) {
        return "tokens/%d-%d.bin".formatted(from, to);
    }

    /** What was divided were lines; people have rows. */
    private static BadInputException inRows(BadDataException e, DatasetSpec spec) {
        String text = spec.format() == Format.PARQUET
                ? e.getMessage().replace(spec.url() + ": line ", spec.url() + ": row ")
                : e.getMessage();
        return new BadInputException(text, e);
    }

    private void requireStore(Preparation preparation) throws IOException {
        if (!preparation.store().equals(store.place())) {
            throw new IOException(
                    "the worker on %s has the store %s, but the dataset is made in %s; set PACER_STORE alike"
                            .formatted(Host.name(), store.place(), preparation.store()));
        }
    }

    private TransferListener sending(String name, StageContext context) {
        return (done, all) -> at(context, done, all, "sending " + name + " to the store");
    }

    private void at(StageContext context, long done, long all, String text) {
        context.check();
        context.progress(Progress.of(Stage.DATASET, clock.instant(), (double) done / Math.max(1, all), text));
    }

    private static int threads() {
        return Runtime.getRuntime().availableProcessors();
    }

    private Workbench workbench() throws IOException {
        return Workbench.in(datasets.home().cache().resolve("preparing"));
    }
}
