package pacer.trainer;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import pacer.trainer.checkpoint.CheckpointStore;
import pacer.trainer.checkpoint.EventLog;
import pacer.trainer.checkpoint.Fence;
import pacer.trainer.data.BadDataException;
import pacer.trainer.dist.Collectives;
import pacer.trainer.eval.HellaSwag;
import pacer.trainer.event.TrainingEvent;
import pacer.trainer.memory.MemoryNeed;
import pacer.trainer.model.Engine;
import pacer.trainer.model.MemoryPolicy;
import pacer.trainer.model.Replica;
import pacer.trainer.ops.cpu.Gemms;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecLoader;

/**
 * A rank of a training as a process:
 *
 * <pre>--spec FILE --data DIR --run DIR --epoch N [--rank R --ranks N --rendezvous WHERE [--address A]] [--cache DIR] [--commit SHA] [--steps N]
 * [--weights DIR] [--hellaswag FILE]</pre>
 *
 * See {@link ProcessLife} for streams, signals and exit codes.
 */
public final class Trainer {
    /**
     * What every JVM that trains needs: vector maths, native memory and calls; and, for loops over memory ({@code *Kernels}), a compiler
     * that does as it is told. They are compiled each for itself, because C2, when it inlines several into their caller, runs
     * out of nodes and puts vectors into boxes; what they call on vectors is inlined whatever the profile says; and they are
     * compiled at their first calls while the caller waits, because interpreted vectors are a thousand times slower. Everything else
     * is compiled three times later than usual, so that it does not keep the compiler from the kernels; what is called often
     * gets there all the same.
     */
    public static final List<String> JVM_FLAGS = List.of(
            "--add-modules=jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-XX:CompileCommand=quiet",
            "-XX:CompileCommand=dontinline,*Kernels::*",
            "-XX:CompileCommand=inline,pacer.trainer.ops.cpu.Vectors::*",
            "-XX:CompileCommand=inline,pacer.trainer.ops.cpu.VectorMath::*",
            "-XX:CompileThresholdScaling=3.0",
            "-XX:CompileCommand=CompileThresholdScaling,*Kernels::*,0.02",
            "-XX:CompileCommand=BackgroundCompilation,*Kernels::*,false");

    /** The argument of a process that is started before there is work for it; the cache folder comes after it. */
    public static final String STANDBY = "--standby";

    /** What such a process is told to do, before the arguments of that. */
    public static final String TRAIN = "train";

    public static final String EVALUATE = "evaluate";

    /** The line of standard output by which such a process says that it has done what it was told, and waits for more. */
    public static final String DONE = "done";

    /** A line of standard input that asks for a checkpoint after the step at work. */
    public static final String CHECKPOINT = "checkpoint";

    /** The argument with HellaSwag's file. */
    static final String HELLASWAG = "hellaswag";

    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private Trainer() {}

    /**
     * {@code Trainer --standby CACHE}: compiles what training will need, then waits for what to do, a JSON array in one line of standard
     * input, {@code ["train", "--name", "value" …]} or the same with {@code "evaluate"} and an {@link Evaluator}'s arguments, and for
     * more when that is done; {@code Trainer --name value …}: trains.
     */
    public static void main(String[] args) {
        Locale.setDefault(Locale.ROOT); // files and messages are the same wherever they are written
        boolean standby = args.length == 2 && args[0].equals(STANDBY);
        ProcessLife.run(life -> standby ? workWhenTold(Path.of(args[1]), life) : train(args, life, () -> {}));
    }

    private static int workWhenTold(Path cache, ProcessLife life) throws IOException {
        KernelWarmUp warmUp = KernelWarmUp.begin(cache);
        for (Optional<String> told = life.awaitLine(); told.isPresent(); told = life.awaitLine()) {
            String[] words = new JsonMapper().readValue(told.get(), String[].class);
            String[] arguments = Arrays.copyOfRange(words, 1, words.length);
            int code =
                    switch (words[0]) {
                        case TRAIN -> train(arguments, life, warmUp::end);
                        case EVALUATE -> Evaluator.evaluate(arguments, life, warmUp::end);
                        default -> throw new BadDataException("standby: \"" + words[0] + "\" is nothing to do");
                    };
            if (code != ProcessLife.FINISHED) {
                return code;
            }
            life.awaitMore();
        }
        return ProcessLife.STOPPED;
    }

    /** @param ready ends what was begun before there was work; called when all is read and the processor is needed */
    private static int train(String[] args, ProcessLife life, Runnable ready) throws IOException {
        Arguments arguments = Arguments.parse(
                "trainer",
                args,
                List.of("spec", "data", "run", "epoch"),
                List.of("rank", "ranks", "rendezvous", "address", "cache", "commit", "steps", "weights", HELLASWAG));
        Path run = Path.of(arguments.text("run"));
        Path file = run.resolve("events.jsonl");
        int rank = arguments.integer("rank", 0);
        Fence fence = rank == 0 ? Fence.join(run, arguments.integer("epoch", 0), PATIENCE) : null;
        if (fence != null) {
            life.recordFailure(failed -> record(failed, file, fence)); // what is told only may be heard by nobody
        }
        RunSpec spec = SpecLoader.read(Path.of(arguments.text("spec")));
        Path weights = arguments.text("weights") == null ? null : Path.of(arguments.text("weights"));
        Engine engine = engine(spec, arguments);
        TrainingBatches.requireRanks(spec, arguments.integer("ranks", 1));
        MemoryNeed.require(spec);
        ready.run();
        try (Collectives ranks = Ranks.join(spec, arguments, rank);
                Dataset dataset = Dataset.open(Path.of(arguments.text("data")), spec);
                Replica replica = engine.open(
                        spec.model(), spec.sequencesAtOnce(), spec.model().sequenceLength(), true)) {
            try (EventLog log = rank == 0 ? EventLog.open(file, fence) : null;
                    EventStream events = new EventStream(log, life::say)) {
                CheckpointStore store = new CheckpointStore(
                        run.resolve("checkpoints"),
                        notice -> events.accept(new TrainingEvent.Notice(Instant.now(), 0, notice)));
                RunCheckpoints checkpoints = new RunCheckpoints(
                        spec, dataset.manifest(), store, fence, events::sync, arguments.text("commit"), ranks, weights);
                SignsOfLife signs = new SignsOfLife(rank == 0 ? events : event -> {}, System::nanoTime);
                int lastStep = arguments.integer("steps", spec.train().steps());
                Optional<HellaSwag> hellaSwag =
                        spec.hellaSwag().everySteps() == 0 ? Optional.empty() : hellaSwag(spec, arguments, dataset);
                TrainingRun training = new TrainingRun(
                        spec, dataset, replica, ranks, checkpoints, signs, requests(life), lastStep, hellaSwag);
                if (training.run() == TrainingRun.End.STOPPED) {
                    return ProcessLife.STOPPED;
                }
            }
        }
        if (fence != null) {
            fence.leave(); // it may go on with something else
        }
        return ProcessLife.FINISHED;
    }

    /** The examples that {@code spec} measures; empty where it measures none. */
    static Optional<HellaSwag> hellaSwag(RunSpec spec, Arguments arguments, Dataset dataset) throws IOException {
        if (!spec.hellaSwag().given()) {
            return Optional.empty();
        }
        String file = arguments.text(HELLASWAG);
        if (file == null) {
            throw new BadDataException("hellaSwag.examples is "
                    + spec.hellaSwag().examples() + ", and no --" + HELLASWAG + " FILE was given");
        }
        return Optional.of(HellaSwag.read(
                Path.of(file),
                spec.hellaSwag().examples(),
                dataset.manifest().tokens(),
                spec.model().sequenceLength()));
    }

    private static TrainingRun.Requests requests(ProcessLife life) {
        return new TrainingRun.Requests() {
            @Override
            public boolean stop() {
                return life.isStopping();
            }

            @Override
            public boolean takeCheckpoint() {
                return life.takeCheckpointRequest();
            }
        };
    }

    /** Throws where a later epoch has begun: a failure of this one is no news of the run then. */
    private static void record(TrainingEvent.Failed failed, Path file, Fence fence) throws IOException {
        try (EventLog log = EventLog.open(file, fence)) {
            log.append(failed);
            log.sync();
        }
    }

    static Engine engine(RunSpec spec, Arguments arguments) {
        String cache = arguments.text("cache");
        return new Engine(
                Engine.Kind.CPU,
                spec.train().threads(),
                spec.train().precision(),
                Gemms.Kind.AUTO,
                cache == null ? CacheFolder.of(System.getenv()) : Path.of(cache),
                MemoryPolicy.recomputing(spec.train().recompute()));
    }
}
