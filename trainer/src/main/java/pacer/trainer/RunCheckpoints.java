package pacer.trainer;

import java.io.Flushable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.function.LongConsumer;
import java.util.stream.Stream;
import pacer.trainer.checkpoint.Checkpoint;
import pacer.trainer.checkpoint.CheckpointStore;
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

/** What of a run goes into checkpoints, and back. Optimizer tensors carry PyTorch's names, such as {@code exp_avg.} and the parameter's. */
final class RunCheckpoints {
    private final RunSpec spec;
    private final DatasetManifest dataset;
    private final CheckpointStore store;
    private final Fence fence;
    private final Flushable events;
    private final String commit;
    private final int rank;
    private final Path weights;

    /**
     * The checkpoints of a run.
     *
     * @param fence null for a rank that writes none
     * @param events puts the events told so far on disk: a checkpoint must not know of more than they do
     * @param commit git commit of the code, or null when unknown
     * @param weights folder of the weights that training begins with; null where they are drawn
     */
    RunCheckpoints(
            RunSpec spec,
            DatasetManifest dataset,
            CheckpointStore store,
            Fence fence,
            Flushable events,
            String commit,
            int rank,
            Path weights) {
        this.spec = spec;
        this.dataset = dataset;
        this.store = store;
        this.fence = fence;
        this.events = events;
        this.commit = commit;
        this.rank = rank;
        this.weights = weights;
    }

    /** Hears how many bytes of a checkpoint are written. */
    @FunctionalInterface
    interface Written {
        void bytes(long done, long total);
    }

    /** What to write beside the tensors; {@code engine} is what computed them. */
    TrainingState state(
            int step, long samples, Double validationLoss, Double best, Skips skips, Recent recent, String engine) {
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
                recent);
    }

    /** The characters in the order of their tokens, or null where the tokenizer is known by its name. */
    private String vocabulary() {
        return dataset.tokenizer() == DatasetSpec.Tokenizer.CHARACTERS ? String.join("", dataset.characters()) : null;
    }

    /** Writes a checkpoint and removes those that need not be kept. Ranks other than 0 hold the same state and write nothing: null. */
    Checkpoint save(Replica replica, Optimizer optimizer, TrainingState state, Written listener) throws IOException {
        if (rank != 0) {
            return null;
        }
        events.flush();
        List<TensorSource> weights = replica.parameters().all().stream()
                .map(p -> TensorSource.of(replica.device(), replica.parameters().in(replica.weights(), p.name()))
                        .named(p.name()))
                .toList();
        List<TensorSource> moments = optimizer.state().stream()
                .map(kept -> TensorSource.of(replica.device(), kept.tensor()).named(kept.name()))
                .toList();
        long total = Stream.concat(weights.stream(), moments.stream())
                .mapToLong(TensorSource::bytes)
                .sum();
        long[] done = {0};
        LongConsumer counter = bytes -> listener.bytes(done[0] += bytes, total);
        Checkpoint written = store.save(fence, state, counted(weights, counter), counted(moments, counter));
        store.prune(fence, spec.checkpoint().keepLast(), spec.checkpoint().keepBest());
        return written;
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

    /** Sets replica and optimizer to the newest whole checkpoint, or to the beginning when there is none. */
    Optional<Checkpoint> restore(Replica replica, Optimizer optimizer) throws IOException {
        Optional<Checkpoint> found = fence == null ? store.newest() : store.recover(fence);
        if (found.isEmpty()) {
            begin(replica);
            return found;
        }
        requireOfThisRun(found.get());
        loadWeights(found.get(), replica);
        try (Safetensors moments = found.get().openOptimizer(0)) {
            for (Optimizer.State state : optimizer.state()) {
                load(moments, state.name(), state.tensor(), replica.device());
            }
        }
        return found;
    }

    private void begin(Replica replica) throws IOException {
        if (!spec.weights().given()) {
            Initialization.of(spec.model(), replica.parameters(), spec.seed(), replica.device(), replica.weights());
            replica.weightsChanged();
            return;
        }
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
        if (!state.specHash().equals(SpecHash.of(spec))) {
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
