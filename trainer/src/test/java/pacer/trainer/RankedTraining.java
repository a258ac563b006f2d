package pacer.trainer;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.UnaryOperator;
import pacer.trainer.checkpoint.CheckpointStore;
import pacer.trainer.checkpoint.Fence;
import pacer.trainer.dist.Collectives;
import pacer.trainer.dist.Group;
import pacer.trainer.dist.Rendezvous;
import pacer.trainer.dist.SocketCollectives;
import pacer.trainer.dist.SoloCollectives;
import pacer.trainer.eval.HellaSwag;
import pacer.trainer.event.TrainingEvent;
import pacer.trainer.model.Engine;
import pacer.trainer.model.Replica;
import pacer.trainer.ops.cpu.Gemms;
import pacer.trainer.optim.Optimizer;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecLoader;
import pacer.trainer.spec.TrainSpec.Precision;

/** Trainings whose ranks are threads of this process, over real sockets. */
final class RankedTraining {
    private RankedTraining() {}

    /** What rank 0 told, of as many ranks as the spec of {@code run} says. */
    static List<TrainingEvent> train(Path data, Path run) throws Exception {
        return train(data, run, null);
    }

    /** @param weights that it begins with, which rank 0 alone has; null where they are drawn */
    static List<TrainingEvent> train(Path data, Path run, Path weights) throws Exception {
        return train(data, run, weights, ranks -> ranks);
    }

    /** @param mishap what becomes of a rank */
    static List<TrainingEvent> train(Path data, Path run, Path weights, UnaryOperator<Collectives> mishap)
            throws Exception {
        return train(data, run, SpecLoader.read(run.resolve("preset.yaml")), weights, mishap, null);
    }

    /** @param examples HellaSwag's file; null where {@code spec} measures none */
    static List<TrainingEvent> train(
            Path data, Path run, RunSpec spec, Path weights, UnaryOperator<Collectives> mishap, Path examples)
            throws Exception {
        int size = spec.train().ranks();
        List<TrainingEvent> events = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(size)) {
            List<Future<?>> ranks = new ArrayList<>();
            for (int r = 0; r < size; r++) {
                int rank = r;
                ranks.add(threads.submit(
                        () -> train(data, run, spec, rank, rank == 0 ? weights : null, events, mishap, examples)));
            }
            for (Future<?> rank : ranks) {
                rank.get();
            }
        }
        return events;
    }

    private static void train(
            Path data,
            Path run,
            RunSpec spec,
            int rank,
            Path weights,
            List<TrainingEvent> events,
            UnaryOperator<Collectives> mishap,
            Path examples) {
        // ranks other than 0 have none of the run's files, as on another host
        Path files = rank == 0 ? run : run.resolve("nothing-here");
        try (Collectives ranks = mishap.apply(join(run, rank, spec.train().ranks()));
                Dataset dataset = Dataset.open(data, spec);
                Replica replica = engine().open(
                                spec.model(),
                                spec.sequencesAtOnce(),
                                spec.model().sequenceLength(),
                                true)) {
            Fence fence = rank == 0 ? Fence.acquire(files, Duration.ofSeconds(5), notice -> {}) : null;
            CheckpointStore store = new CheckpointStore(files.resolve("checkpoints"), notice -> {});
            RunCheckpoints checkpoints =
                    new RunCheckpoints(spec, dataset.manifest(), store, fence, () -> {}, null, ranks, weights);
            SignsOfLife signs = new SignsOfLife(rank == 0 ? events::add : event -> {}, () -> 0);
            Optional<HellaSwag> hellaSwag = examples == null
                    ? Optional.empty()
                    : Optional.of(HellaSwag.read(
                            examples,
                            spec.hellaSwag().examples(),
                            dataset.manifest().tokens(),
                            spec.model().sequenceLength()));
            var _ = new TrainingRun(
                            spec,
                            dataset,
                            replica,
                            ranks,
                            checkpoints,
                            signs,
                            TrainingRun.Requests.NONE,
                            spec.train().steps(),
                            hellaSwag)
                    .run();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Engine engine() {
        return new Engine(Engine.Kind.CPU, 1, Precision.FP32, Gemms.Kind.AUTO, Path.of("target", "native-cache"));
    }

    private static Collectives join(Path run, int rank, int size) {
        if (size == 1) {
            return new SoloCollectives();
        }
        Rendezvous rendezvous = Rendezvous.parse("file:" + run.resolve("rendezvous"));
        Duration patience = Duration.ofSeconds(60);
        return SocketCollectives.join(
                new Group(rank, size, "spec", "a secret of this test", rendezvous, patience, patience));
    }

    /** By rank, the bytes of what the optimizer keeps. */
    static List<Long> stateBytes(RunSpec spec) {
        List<Long> bytes = new ArrayList<>();
        for (int rank = 0; rank < spec.train().ranks(); rank++) {
            try (Replica plan = engine().plan(spec.model(), 1, spec.model().sequenceLength())) {
                bytes.add(Optimizer.of(plan, spec.optimizer(), Ranks.sharding(spec, rank)).state().stream()
                        .mapToLong(state -> 4 * state.tensor().size())
                        .sum());
            }
        }
        return bytes;
    }
}
