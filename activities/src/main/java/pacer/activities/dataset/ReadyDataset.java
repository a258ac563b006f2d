package pacer.activities.dataset;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.stream.LongStream;
import pacer.activities.run.Progress;
import pacer.activities.run.Stage;
import pacer.activities.run.StageContext;
import pacer.trainer.data.Split;
import pacer.trainer.durable.DurableFiles;
import pacer.trainer.durable.Sha256;
import pacer.trainer.spec.Catalogue;
import pacer.trainer.spec.DatasetSpec;
import pacer.trainer.text.DatasetManifest;
import pacer.trainer.text.HeaderlessTokens;
import pacer.trainer.text.Tokenization.Shard;
import pacer.trainer.text.Tokenizer;

/** A dataset of shards that are ready: several files at a time are brought, then each gets its name in the dataset's folder. */
final class ReadyDataset {
    /** Enough to fill a line from a home that limits each connection; few enough to be a polite guest. */
    private static final int AT_ONCE = 4;

    private final Catalogue catalogue;
    private final DatasetSpec spec;
    private final ReadyFiles files;
    private final Clock clock;
    private final int shardTokens;

    /**
     * @param shardTokens tokens of a shard, where files without header are cut into shards
     */
    ReadyDataset(Catalogue catalogue, DatasetSpec spec, ReadyFiles files, Clock clock, int shardTokens) {
        this.catalogue = catalogue;
        this.spec = spec;
        this.files = files;
        this.clock = clock;
        this.shardTokens = shardTokens;
    }

    /** Names the dataset. Digests are not known before the files are, but each is pinned when it comes first. */
    String hash(String layout) {
        return Sha256.ofParts(
                "catalogue",
                layout,
                catalogue.identity(spec.shards()),
                isCut() ? Integer.toString(shardTokens) : "as they are");
    }

    /** Brings what is missing, and writes the manifest last. Files that came are kept for the dataset {@code hash} while others still do. */
    DatasetManifest make(String hash, Path folder, StageContext context) throws IOException, InterruptedException {
        List<Catalogue.File> wanted = wanted();
        List<ReadyFiles.Ready> ready = bring(wanted, hash, context);
        long trusted = ready.stream().filter(ReadyFiles.Ready::trusted).count();
        if (trusted > 0) {
            context.notice(trusted(
                    catalogue.name(),
                    trusted,
                    files.pins().folder().resolve(catalogue.name()).toString()));
        }
        Files.createDirectories(folder);
        List<Shard> shards = new ArrayList<>();
        for (int i = 0; i < wanted.size(); i++) {
            if (isCut()) {
                shards.addAll(cut(ready.get(i), split(i), folder, context));
            } else {
                name(ready.get(i), folder.resolve(shardName(i)));
                shards.add(shard(i, ready.get(i)));
            }
        }
        DatasetManifest manifest = manifest(
                ready.stream().map(ReadyFiles.Ready::sha256).toList(),
                ready.stream().mapToLong(ReadyFiles.Ready::bytes).sum(),
                shards);
        DurableFiles.write(folder.resolve(DatasetManifest.NAME), manifest.toJson());
        return manifest;
    }

    /** Says that nothing was known of {@code files} files. */
    static String trusted(String catalogue, long files, String pins) {
        return "catalogue %s: the SHA-256 of %d files was not known; they are taken as they came, and pinned in %s"
                .formatted(catalogue, files, pins);
    }

    /** Whether its files are cut into shards, rather than being shards. */
    boolean isCut() {
        return catalogue.facts().format() == Catalogue.Format.HEADERLESS;
    }

    /** Its files: those of training in their order, and last the one for validation. */
    List<Catalogue.File> wanted() {
        return catalogue.files(spec.shards());
    }

    /** Brings file {@code index} alone. */
    ReadyFiles.Ready bring(int index, StageContext context) throws IOException, InterruptedException {
        Catalogue.File file = wanted().get(index);
        double all = file.tokens() > 0 ? 2 * file.tokens() : USUAL_BYTES;
        return files.bring(
                catalogue,
                file,
                homes(),
                Optional.empty(), // it goes to the store at once
                context,
                bytes -> context.progress(at(
                        Math.min(1, bytes / all),
                        "downloading %s of %s: %.1f MB".formatted(file.name(), catalogue.name(), bytes / 1e6))));
    }

    /** The digest that file {@code index} must have, where that is known. */
    Optional<String> pinned(int index, StageContext context) throws IOException, InterruptedException {
        return files.pins().of(catalogue, wanted().get(index), context);
    }

    /** File {@code index} where it was brought to this machine before. */
    Optional<Path> kept(int index, StageContext context) throws IOException, InterruptedException {
        return pinned(index, context).map(files::kept).filter(Files::exists);
    }

    private Split split(int index) {
        return wanted().get(index).validation() ? Split.VALIDATION : Split.TRAIN;
    }

    private String shardName(int index) {
        return split(index).shardName(split(index) == Split.TRAIN ? index : 0);
    }

    /** File {@code index} as the shard that it is. */
    Shard shard(int index, ReadyFiles.Ready ready) {
        return new Shard(shardName(index), split(index), ready.tokens(), ready.bytes(), ready.sha256());
    }

    /** The shards of file {@code index}, cut into {@code folder}. */
    List<Shard> cut(int index, ReadyFiles.Ready ready, Path folder, StageContext context)
            throws IOException, InterruptedException {
        return cut(ready, split(index), folder, context);
    }

    /**
     * The manifest of {@code shards}.
     *
     * @param digests of the files
     * @param bytes of all files
     */
    DatasetManifest manifest(List<String> digests, long bytes, List<Shard> shards) {
        Tokenizer tokenizer = Tokenizer.of(catalogue.facts().tokenizer(), List.of());
        return new DatasetManifest(
                spec.url(),
                Sha256.ofParts(digests.toArray(String[]::new)),
                bytes,
                null,
                catalogue.facts().tokenizer(),
                tokenizer.vocabularySize(),
                List.of(),
                0,
                shards);
    }

    private List<String> homes() {
        List<String> homes = new ArrayList<>(spec.mirrorList());
        homes.addAll(catalogue.homes());
        return homes;
    }

    private List<ReadyFiles.Ready> bring(List<Catalogue.File> wanted, String hash, StageContext context)
            throws IOException, InterruptedException {
        List<String> homes = homes();
        Meter meter = new Meter(wanted.size(), context);
        ReadyFiles.Ready[] ready = new ReadyFiles.Ready[wanted.size()];
        ExecutorService threads = Executors.newFixedThreadPool(
                AT_ONCE, Thread.ofPlatform().daemon().name("shards-", 0).factory());
        try {
            ExecutorCompletionService<Void> tasks = new ExecutorCompletionService<>(threads);
            for (int i = 0; i < ready.length; i++) {
                int index = i;
                tasks.submit(() -> {
                    ready[index] = files.bring(
                            catalogue,
                            wanted.get(index),
                            homes,
                            Optional.of(hash),
                            context,
                            bytes -> meter.received(index, bytes));
                    meter.done();
                    return null;
                });
            }
            for (int i = 0; i < ready.length; i++) {
                Void _ = tasks.take().get();
            }
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case IOException io -> throw io;
                case InterruptedException interrupted -> throw interrupted;
                case RuntimeException bad -> throw bad;
                case Error error -> throw error;
                default -> throw new IllegalStateException(e.getCause());
            }
        } finally {
            threads.shutdownNow(); // after a failure: what is under way is gone on with by the next attempt
            threads.close();
        }
        return List.of(ready);
    }

    /** A hard link where the file system has them, so that what several datasets share lies there once. */
    private static void name(ReadyFiles.Ready ready, Path name) throws IOException {
        Path beside = DurableFiles.beside(name);
        try {
            try {
                Files.createLink(beside, ready.path());
            } catch (UnsupportedOperationException | FileSystemException e) {
                Files.copy(ready.path(), beside);
                DurableFiles.sync(beside);
            }
            DurableFiles.move(beside, name);
        } finally {
            Files.deleteIfExists(beside);
        }
    }

    private List<Shard> cut(ReadyFiles.Ready ready, Split split, Path folder, StageContext context)
            throws IOException, InterruptedException {
        int all = (int) ((ready.tokens() + shardTokens - 1) / shardTokens);
        int most = split == Split.TRAIN && spec.shards() > 0 ? Math.min(spec.shards(), all) : all;
        return new HeaderlessTokens(ready.path(), shardTokens, most).cut(split, folder, bytes -> {
            context.check();
            context.progress(at((double) bytes / Math.max(1, ready.bytes()), "cutting tokens into shards"));
        });
    }

    private Progress at(Double fraction, String text) {
        return Progress.of(Stage.DATASET, clock.instant(), fraction, text);
    }

    /** How much of all files is there. */
    private final class Meter {
        private final AtomicLongArray bytes;
        private final AtomicInteger done = new AtomicInteger();
        private final StageContext context;
        private final double expected;

        Meter(int count, StageContext context) {
            this.bytes = new AtomicLongArray(count);
            this.context = context;
            this.expected = wanted().stream()
                    .mapToLong(file -> file.tokens() > 0 ? 2 * file.tokens() : USUAL_BYTES)
                    .sum();
        }

        void received(int index, long now) {
            bytes.set(index, now);
            tell();
        }

        void done() {
            done.incrementAndGet();
            tell();
        }

        private void tell() {
            long sum = LongStream.range(0, bytes.length())
                    .map(i -> bytes.get((int) i))
                    .sum();
            context.progress(at(
                    Math.min(1, sum / expected),
                    "downloading %s: %d of %d files, %.1f of %.1f MB"
                            .formatted(catalogue.name(), done.get(), bytes.length(), sum / 1e6, expected / 1e6)));
        }
    }

    /** Of a shard whose tokens nobody counted: 100 million of them. */
    private static final long USUAL_BYTES = 200_001_024;
}
