package pacer.activities.dataset;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import pacer.activities.dataset.Preparation.Division;
import pacer.activities.dataset.Preparation.JoinRequest;
import pacer.activities.dataset.Preparation.PartRequest;
import pacer.activities.dataset.Preparation.Piece;
import pacer.activities.run.BadInputException;
import pacer.activities.run.DamagedDataException;
import pacer.activities.run.RunJson;
import pacer.activities.run.Stage;
import pacer.activities.run.StageContext;
import pacer.activities.store.StoredDatasets;
import pacer.activities.store.StoredObject;
import pacer.activities.store.StoredParts;
import pacer.activities.store.TransferListener;
import pacer.trainer.data.BadDataException;
import pacer.trainer.data.TokenShard;
import pacer.trainer.durable.Sha256;
import pacer.trainer.spec.DatasetSpec;
import pacer.trainer.spec.DatasetSpec.Format;
import pacer.trainer.text.DatasetManifest;
import pacer.trainer.text.TextParts;
import pacer.trainer.text.Tokenization.Shard;
import pacer.trainer.text.Tokenizer;

/** The steps of a text that several hosts tokenize together; see {@link SharedDatasets}. */
final class SharedText {
    private static final int MOST_PARTS = 1000;

    private final SharedWork work;
    private final Datasets datasets;
    private final StoredDatasets store;
    private final PreparationSettings settings;

    SharedText(SharedWork work, Datasets datasets, PreparationSettings settings) {
        this.work = work;
        this.datasets = datasets;
        this.store = work.store();
        this.settings = settings;
    }

    /**
     * What the hosts share of a text's division, {@code plan-<its digest>.json}.
     *
     * @param fromHome whether the home of the raw file gives parts of it; else they are in the store
     */
    record Plan(TextParts text, long rawBytes, boolean fromHome) {}

    /**
     * Brings the raw file to this host, which proves its digest once for all, and divides it. A text of one part is made to a dataset at once.
     *
     * @throws BadInputException when the raw file cannot be had, or is not what it should be
     */
    Division divide(Preparation preparation, StageContext context) throws IOException, InterruptedException {
        work.requireStore(preparation);
        Optional<DatasetManifest> there = store.read(preparation.hash(), context);
        if (there.isPresent()) { // of an attempt whose answer was lost
            return whole(Datasets.result(preparation.hash(), there.get(), false));
        }
        DatasetSpec spec = preparation.dataset();
        RawFile raw = datasets.rawFiles().acquire(spec, context);
        if (raw.bytes() <= settings.partBytes()) {
            DatasetResult _ = datasets.prepare(new DatasetRequest(null, spec), context);
            return whole(work.made(preparation, context));
        }
        try (Workbench bench = work.bench()) {
            boolean rows = spec.format() == Format.PARQUET;
            Path text = rows ? bench.folder().resolve("documents.jsonl") : raw.path();
            if (rows) {
                TextParts.unpack(raw.path(), text, (_, done, all) -> work.at(context, done, all, "unpacking rows"));
            }
            TextParts parts = TextParts.of(
                    text,
                    spec.url(),
                    rows ? Format.JSONL : spec.format(),
                    spec.tokenizer(),
                    spec.validationFraction(),
                    Math.max(settings.partBytes(), Files.size(text) / MOST_PARTS),
                    threads(),
                    (_, done, all) -> work.at(context, done, all, "reading the text"));
            raw.checkUnchanged();
            boolean fromHome = !rows && datasets.rawFiles().givesRanges(spec);
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
                    (done, _) -> work.at(context, before + done, all, "sending parts of the text to the store"));
        }
    }

    Piece tokenize(PartRequest request, StageContext context) throws IOException, InterruptedException {
        work.requireStore(request.of());
        StoredParts shared = store.parts(request.of().hash());
        Plan plan = plan(request.plan(), shared, context);
        TextParts.Part part = plan.text().parts().get(request.index());
        Optional<StoredObject> there = shared.find(tokensName(part), context);
        if (there.isPresent()) {
            return piece(part, there.get().bytes(), there.get().sha256().orElseThrow());
        }
        try (Workbench bench = work.bench()) {
            Path text = bench.folder().resolve("text");
            TransferListener fetching = (done, all) -> work.at(context, done, all, "fetching part " + request.index());
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
                            (_, done, all) -> work.at(context, done, all, "making tokens of part " + request.index()));
            if (tokens == null) {
                return new Piece(part.split(), part.from(), part.to(), 0, 0, "");
            }
            shared.put(
                    tokensName(part),
                    bench.folder().resolve(tokens.name()),
                    0,
                    tokens.bytes(),
                    tokens.sha256(),
                    work.sending("tokens", context));
            return piece(part, tokens.bytes(), tokens.sha256());
        } catch (BadDataException e) {
            throw inRows(e, request.of().dataset());
        }
    }

    private static Piece piece(TextParts.Part part, long bytes, String sha256) {
        return new Piece(part.split(), part.from(), part.to(), (bytes - TokenShard.HEADER_BYTES) / 2, bytes, sha256);
    }

    Shard join(JoinRequest request, StageContext context) throws IOException, InterruptedException {
        work.requireStore(request.of());
        StoredParts shared = store.parts(request.of().hash());
        String name = request.shard().name();
        try (Workbench bench = work.bench()) {
            List<Path> files = new ArrayList<>();
            for (Piece piece : request.pieces()) {
                Path file = bench.folder().resolve("piece-" + files.size());
                shared.get(
                        tokensName(piece.from(), piece.to()),
                        piece.bytes(),
                        piece.sha256(),
                        file,
                        (done, all) -> work.at(context, done, all, "fetching tokens of " + name));
                files.add(file);
            }
            Shard shard = TextParts.join(
                    request.shard(),
                    files,
                    bench.folder(),
                    (_, done, all) -> work.at(context, done, all, "joining " + name));
            store.sendShard(bench.folder().resolve(name), shard, work.sending(name, context));
            return shard;
        }
    }

    /** The manifest of {@code shards}. */
    DatasetManifest manifest(Preparation preparation, String plan, List<Shard> shards, StageContext context)
            throws IOException, InterruptedException {
        return manifest(preparation.dataset(), plan(plan, store.parts(preparation.hash()), context), shards);
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
        byte[] plan = shared.read(planName(digest), context);
        if (!Sha256.of(plan).equals(digest)) {
            throw new DamagedDataException(
                    planName(digest) + " in the store is not what its name says; delete it", Stage.DATASET);
        }
        return RunJson.MAPPER.readValue(plan, Plan.class);
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

    private static int threads() {
        return Runtime.getRuntime().availableProcessors();
    }
}
