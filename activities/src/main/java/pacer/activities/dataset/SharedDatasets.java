package pacer.activities.dataset;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import pacer.activities.dataset.Preparation.BroughtFile;
import pacer.activities.dataset.Preparation.FileRequest;
import pacer.activities.dataset.Preparation.FinishRequest;
import pacer.activities.run.PreparationRequest;
import pacer.activities.run.StageContext;
import pacer.activities.store.StoredDatasets;
import pacer.trainer.data.TokenShard;
import pacer.trainer.durable.Host;
import pacer.trainer.spec.DatasetSpec;
import pacer.trainer.text.DatasetManifest;
import pacer.trainer.text.Tokenization.Shard;

/**
 * The steps of a dataset that several hosts make together, by way of the store that they share. Each can be done again by any host at any point:
 * what it stores has a name that says which bytes it is, and what is stored is not made again.
 */
public final class SharedDatasets {
    private final Datasets datasets;
    private final StoredDatasets store;
    private final PreparationSettings settings;
    private final Datasets.Together together;
    private final SharedWork work;
    private final SharedText text;

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
        this.work = new SharedWork(datasets.home(), store, clock);
        this.text = new SharedText(work, datasets, settings);
    }

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
        return work.made(preparation, context);
    }

    /** Brings one file of a catalogue to the store, by way of this host's disk unless it is there already. */
    BroughtFile bring(FileRequest request, StageContext context) throws IOException, InterruptedException {
        work.requireStore(request.of());
        ReadyDataset ready = datasets.ready(request.of().dataset());
        Optional<BroughtFile> there = ready.isCut() ? Optional.empty() : stored(ready, request.index(), context);
        if (there.isPresent()) {
            return there.get();
        }
        Optional<Path> kept = ready.kept(request.index(), context);
        ReadyFiles.Ready file = ready.bring(request.index(), context);
        if (!ready.isCut()) {
            Shard shard = ready.shard(request.index(), file);
            store.sendShard(file.path(), shard, work.sending(shard.name(), context));
            if (kept.isEmpty()) {
                Files.deleteIfExists(file.path()); // whoever trains on it stages it from the store
            }
            return new BroughtFile(file.sha256(), file.bytes(), file.trusted(), List.of(shard));
        }
        try (Workbench bench = work.bench()) {
            List<Shard> shards = ready.cut(request.index(), file, bench.folder(), context);
            for (Shard shard : shards) {
                store.sendShard(bench.folder().resolve(shard.name()), shard, work.sending(shard.name(), context));
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
        ReadyFiles.Ready file =
                new ReadyFiles.Ready(null, pinned.get(), size, (size - TokenShard.HEADER_BYTES) / 2, false);
        return Optional.of(new BroughtFile(file.sha256(), size, false, List.of(ready.shard(index, file))));
    }

    /** The manifest, last; from then on it is a dataset, and what was shared on the way goes. */
    DatasetResult finish(FinishRequest request, StageContext context) throws IOException, InterruptedException {
        work.requireStore(request.of());
        Preparation preparation = request.of();
        long trusted = request.files().stream().filter(BroughtFile::trusted).count();
        if (trusted > 0) {
            context.notice(ReadyDataset.trusted(preparation.dataset().catalogue(), trusted, store.place() + "/pins"));
        }
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
                    : text.manifest(preparation, request.plan(), request.shards(), context);
            store.sendManifest(preparation.hash(), manifest, context);
        }
        store.parts(preparation.hash()).clear(context);
        return work.made(preparation, context);
    }

    boolean drop(Preparation preparation, StageContext context) throws IOException, InterruptedException {
        work.requireStore(preparation);
        store.parts(preparation.hash()).clear(context);
        return true;
    }

    /** The steps of a text. */
    SharedText text() {
        return text;
    }
}
