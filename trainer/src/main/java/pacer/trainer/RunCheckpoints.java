package pacer.trainer;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.Flushable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.function.LongConsumer;
import java.util.stream.Stream;
import pacer.trainer.checkpoint.Checkpoint;
import pacer.trainer.checkpoint.CheckpointStore;
import pacer.trainer.checkpoint.ElementType;
import pacer.trainer.checkpoint.Fence;
import pacer.trainer.checkpoint.Gpt2Folder;
import pacer.trainer.checkpoint.InvalidFileException;
import pacer.trainer.checkpoint.Safetensors;
import pacer.trainer.checkpoint.StoredTensor;
import pacer.trainer.checkpoint.TensorSource;
import pacer.trainer.checkpoint.TrainingState;
import pacer.trainer.checkpoint.TrainingState.Recent;
import pacer.trainer.checkpoint.TrainingState.Skips;
import pacer.trainer.data.BadDataException;
import pacer.trainer.dist.Collectives;
import pacer.trainer.model.Initialization;
import pacer.trainer.model.Parameter;
import pacer.trainer.model.Replica;
import pacer.trainer.ops.Device;
import pacer.trainer.ops.Tensor;
import pacer.trainer.optim.Optimizer;
import pacer.trainer.spec.DatasetSpec;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecHash;
import pacer.trainer.text.DatasetManifest;

/**
 * What of a run goes into checkpoints, and back. Rank 0 alone reads and writes them, and passes on to the others what is theirs. Optimizer
 * tensors carry PyTorch's names, such as {@code exp_avg.} and the parameter's.
 */
final class RunCheckpoints {
    private final RunSpec spec;
    private final DatasetManifest dataset;
    private final CheckpointStore store;
    private final Fence fence;
    private final Flushable events;
    private final String commit;
    private final Collectives ranks;
    private final StateExchange exchange;
    private final Path weights;

    /**
     * The checkpoints of a run.
     *
     * @param fence null for a rank other than 0
     * @param events puts the events told so far on disk: a checkpoint must not know of more than they do
     * @param commit git commit of the code, or null when unknown
     * @param weights folder of the weights that training begins with; null where they are drawn, and of no use on ranks other than 0
     */
    RunCheckpoints(
            RunSpec spec,
            DatasetManifest dataset,
            CheckpointStore store,
            Fence fence,
            Flushable events,
            String commit,
            Collectives ranks,
            Path weights) {
        this.spec = spec;
        this.dataset = dataset;
        this.store = store;
        this.fence = fence;
        this.events = events;
        this.commit = commit;
        this.ranks = ranks;
        this.exchange = new StateExchange(ranks);
        this.weights = weights;
    }

    /** Hears how many bytes of a checkpoint are written. */
    @FunctionalInterface
    interface Written {
        /** Whether that was told. */
        boolean bytes(long done, long total);
    }

    /** Where a training goes on: the checkpoint's name, and what was in it. */
    record Resumed(String name, TrainingState state) {}

    /** What a rank keeps beside a parameter, as it tells rank 0. */
    private record Kept(String name, List<Long> shape, long from, long of) {
        private static final JsonMapper MAPPER = new JsonMapper();

        static byte[] listing(Optimizer optimizer) throws IOException {
            return MAPPER.writeValueAsBytes(optimizer.state().stream()
                    .map(s -> new Kept(
                            s.name(),
                            Arrays.stream(s.tensor().shape())
                                    .asLongStream()
                                    .boxed()
                                    .toList(),
                            s.from(),
                            s.of()))
                    .toList());
        }

        static List<Kept> read(byte[] listing) throws IOException {
            return List.of(MAPPER.readValue(listing, Kept[].class));
        }

        long elements() {
            return shape.stream().reduce(1L, Math::multiplyExact);
        }
    }

    /** What to write beside the tensors; {@code engine} is what computed them. */
    TrainingState state(
            int step,
            long samples,
            Double validationLoss,
            Double best,
            Skips skips,
            Recent recent,
            String engine,
            boolean brokenOff) {
        return new TrainingState(
                step,
                samples,
                SpecHash.of(spec),
                commit,
                validationLoss,
                best,
                dataset.tokenizer(),
                vocabulary(),
                spec.model(),
                spec.train().ranks(),
                skips,
                dataset.identity(),
                engine,
                spec.model().attention().windowAt(spec.train().progress(step)),
                recent,
                SpecHash.ofTraining(spec),
                brokenOff ? true : null);
    }

    /** The characters in the order of their tokens, or null where the tokenizer is known by its name. */
    private String vocabulary() {
        return dataset.tokenizer() == DatasetSpec.Tokenizer.CHARACTERS ? String.join("", dataset.characters()) : null;
    }

    /**
     * Writes a checkpoint and removes those that need not be kept. All ranks call it; what {@code listener} tells of it keeps the others
     * waiting.
     *
     * @return null on ranks other than 0
     */
    Checkpoint save(Replica replica, Optimizer optimizer, TrainingState state, Written listener) throws IOException {
        boolean sharded = optimizer.isSharded();
        List<byte[]> listings = sharded ? exchange.toFirst(Kept.listing(optimizer)) : List.of();
        if (ranks.rank() != 0) {
            exchange.serve(replica.device(), optimizer.state());
            return null;
        }
        events.flush();
        List<TensorSource> weights = replica.parameters().all().stream()
                .map(p -> TensorSource.of(replica.device(), replica.parameters().in(replica.weights(), p.name()))
                        .named(p.name()))
                .toList();
        List<List<TensorSource>> moments = new ArrayList<>();
        moments.add(optimizer.state().stream()
                .map(kept -> TensorSource.of(replica.device(), kept.tensor()).named(name(kept)))
                .toList());
        for (int rank = 1; rank < listings.size(); rank++) {
            moments.add(keptBy(rank, Kept.read(listings.get(rank))));
        }
        long total = Stream.concat(Stream.of(weights), moments.stream())
                .flatMap(List::stream)
                .mapToLong(TensorSource::bytes)
                .sum();
        long[] done = {0};
        LongConsumer counter = bytes -> {
            if (listener.bytes(done[0] += bytes, total)) {
                exchange.working();
            }
        };
        Checkpoint written = store.saveSharded(
                fence,
                state,
                counted(weights, counter),
                moments.stream().map(file -> counted(file, counter)).toList());
        store.prune(fence, spec.checkpoint().keepLast(), spec.checkpoint().keepBest());
        exchange.done();
        return written;
    }

    private static String name(Optimizer.State kept) {
        return OptimizerFiles.name(
                kept.name(), kept.from(), kept.from() + kept.tensor().size(), kept.of());
    }

    /** What another rank keeps, fetched when it is written. */
    private List<TensorSource> keptBy(int rank, List<Kept> listing) {
        List<TensorSource> sources = new ArrayList<>();
        for (Kept kept : listing) {
            int which = sources.size();
            sources.add(new TensorSource(
                    OptimizerFiles.name(kept.name, kept.from, kept.from + kept.elements(), kept.of),
                    ElementType.F32,
                    kept.shape,
                    (offset, length, scratch) -> {
                        MemorySegment piece = scratch.asSlice(0, length);
                        exchange.fetch(rank, which, offset / 4, piece);
                        return piece;
                    }));
        }
        return sources;
    }

    /** The same tensors; {@code counter} hears of each piece of them that is asked for, when those before it are written. */
    private static List<TensorSource> counted(List<TensorSource> tensors, LongConsumer counter) {
        return tensors.stream()
                .map(tensor ->
                        new TensorSource(tensor.name(), tensor.type(), tensor.shape(), (offset, length, scratch) -> {
                            counter.accept(length);
                            return tensor.content().read(offset, length, scratch);
                        }))
                .toList();
    }

    /** Sets replica and optimizer to the newest whole checkpoint, or to the beginning when there is none. All ranks call it. */
    Optional<Resumed> restore(Replica replica, Optimizer optimizer) throws IOException {
        Optional<Checkpoint> found = ranks.rank() == 0 ? store.recover(fence) : Optional.empty();
        if (found.isPresent()) {
            requireOfThisRun(found.get());
        }
        byte[] name = exchange.fromFirst(
                found.map(c -> c.folder().getFileName().toString()).orElse("").getBytes(StandardCharsets.UTF_8));
        if (name.length == 0) {
            begin(replica);
            return Optional.empty();
        }
        TrainingState state = TrainingState.fromJson(
                exchange.fromFirst(found.isPresent() ? found.get().state().toJson() : new byte[0]));
        if (found.isPresent()) {
            loadWeights(found.get(), replica);
        }
        ranks.broadcast(replica.weights(), 0);
        replica.weightsChanged();
        restore(found, replica.device(), optimizer);
        return Optional.of(new Resumed(new String(name, StandardCharsets.UTF_8), state));
    }

    /** What each rank keeps, from the files of however many ranks. */
    private void restore(Optional<Checkpoint> found, Device device, Optimizer optimizer) throws IOException {
        List<byte[]> listings = exchange.toFirst(Kept.listing(optimizer));
        if (found.isEmpty()) {
            exchange.serve(device, optimizer.state());
            return;
        }
        try (OptimizerFiles files = OptimizerFiles.open(found.get());
                Arena arena = Arena.ofConfined()) {
            MemorySegment scratch = arena.allocate(StateExchange.PIECE, 64);
            for (int rank = 0; rank < listings.size(); rank++) {
                List<Kept> listing = Kept.read(listings.get(rank));
                for (int which = 0; which < listing.size(); which++) {
                    Kept kept = listing.get(which);
                    for (long at = 0; at < kept.elements(); at += StateExchange.PIECE / 4) {
                        int n = (int) Math.min(StateExchange.PIECE / 4, kept.elements() - at);
                        MemorySegment values = scratch.asSlice(0, 4L * n);
                        files.read(kept.name, kept.of, kept.from + at, values);
                        if (rank > 0) {
                            exchange.give(rank, which, at, values);
                        } else {
                            Tensor own = optimizer.state().get(which).tensor();
                            device.write(own.slice(own.name(), at, n), values);
                        }
                    }
                }
            }
        }
        exchange.done();
    }

    private void begin(Replica replica) throws IOException {
        if (!spec.weights().given()) {
            Initialization.of(spec.model(), replica.parameters(), spec.seed(), replica.device(), replica.weights());
            replica.weightsChanged();
            return;
        }
        if (ranks.rank() == 0) {
            loadGiven(replica);
        }
        ranks.broadcast(replica.weights(), 0);
        replica.weightsChanged();
    }

    private void loadGiven(Replica replica) throws IOException {
        if (weights == null) {
            throw new BadDataException("trainer: --weights is missing; weights.from is "
                    + spec.weights().from());
        }
        try (Gpt2Folder stored = Gpt2Folder.open(weights)) {
            Gpt2Folder.requireFit(weights, stored.model(), spec.model());
            replica.load((parameter, values) -> stored.readRows(parameter.name(), values));
        }
    }

    /** Going on with other settings or other data would be a run that nobody asked for. */
    private void requireOfThisRun(Checkpoint checkpoint) {
        TrainingState state = checkpoint.state();
        boolean otherwiseDivided = SpecHash.ofTraining(spec).equals(state.trainingHash());
        if (!state.specHash().equals(SpecHash.of(spec)) && !otherwiseDivided) {
            throw refused(checkpoint, "other settings (spec hash", state.specHash(), SpecHash.of(spec));
        }
        if (state.dataset() != null && !state.dataset().equals(dataset.identity())) {
            throw refused(checkpoint, "other data (dataset", state.dataset(), dataset.identity());
        }
        if (state.tokenizer() != dataset.tokenizer() || !Objects.equals(state.vocabulary(), vocabulary())) {
            throw refused(
                    checkpoint,
                    "another vocabulary (tokens",
                    tokens(state.tokenizer(), state.vocabulary()),
                    tokens(dataset.tokenizer(), vocabulary()));
        }
    }

    private static BadDataException refused(Checkpoint checkpoint, String written, String theirs, String ours) {
        return new BadDataException(checkpoint.folder() + ": was written by a run of " + written + " " + theirs
                + ", this run's: " + ours + "); begin anew with --new");
    }

    private static String tokens(DatasetSpec.Tokenizer tokenizer, String vocabulary) {
        return vocabulary == null
                ? tokenizer.name().toLowerCase(Locale.ROOT)
                : vocabulary.codePointCount(0, vocabulary.length()) + " characters "
                        + InvalidFileException.quote(vocabulary);
    }

    /** Sets a replica's weights to a checkpoint's. */
    static void loadWeights(Checkpoint checkpoint, Replica replica) throws IOException {
        try (Safetensors weights = checkpoint.openWeights()) {
            for (Parameter p : replica.parameters().all()) {
                load(weights, p.name(), replica.parameters().in(replica.weights(), p.name()), replica.device());
            }
        }
        replica.weightsChanged();
    }

    private static void load(Safetensors stored, String name, Tensor to, Device device) throws IOException {
        StoredTensor tensor = stored.tensor(name);
        List<Long> shape = Arrays.stream(to.shape()).asLongStream().boxed().toList();
        if (!tensor.shape().equals(shape)) {
            throw new BadDataException(tensor.file() + ": tensor " + tensor.name() + " has shape " + tensor.shape()
                    + "; the model's is " + shape);
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment values = arena.allocate(4 * to.size(), 64);
            tensor.toFloats(values);
            device.write(to, values);
        }
    }
}
