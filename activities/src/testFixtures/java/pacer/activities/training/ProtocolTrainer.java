package pacer.activities.training;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import pacer.trainer.Trainer;
import pacer.trainer.checkpoint.CheckpointStore;
import pacer.trainer.checkpoint.ElementType;
import pacer.trainer.checkpoint.EventLog;
import pacer.trainer.checkpoint.Fence;
import pacer.trainer.checkpoint.FencedException;
import pacer.trainer.checkpoint.TensorSource;
import pacer.trainer.checkpoint.TrainingState;
import pacer.trainer.event.TrainingEvent;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecHash;
import pacer.trainer.spec.SpecLoader;

/**
 * A trainer as far as its process goes: command line, standard streams, signals, exit codes, fence, events and checkpoints are
 * real, only the arithmetic is not. The system property {@code mishap} tells what is to go wrong, once a run (a file of that
 * name in the run's folder remembers) unless {@code always} is set: {@code crash}, {@code fail}, {@code refuse}, {@code wait},
 * {@code hold} (until {@code go}, then crash), {@code hang} or {@code slow}, and {@code at} at which step. Losses are {@code slope} times the
 * learning rate higher; nothing goes wrong with rates that are not {@code above} one; while the file {@code broken} is there, rates above 0.002 are refused.
 */
public final class ProtocolTrainer {
    private static volatile boolean stopping;
    private static volatile boolean checkpointWanted;

    private final RunSpec spec;
    private final int steps;
    private final Path run;
    private final Fence fence;

    private ProtocolTrainer(RunSpec spec, int steps, Path run, Fence fence) {
        this.spec = spec;
        this.steps = steps;
        this.run = run;
        this.fence = fence;
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        Thread.ofPlatform().daemon().start(ProtocolTrainer::listen);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            stopping = true;
            sleepForEver();
        }));
        Map<String, String> options = new HashMap<>();
        for (int i = 0; i < arguments.length; i += 2) {
            options.put(arguments[i], arguments[i + 1]);
        }
        Path run = Path.of(options.get("--run"));
        int rank = Integer.parseInt(options.get("--rank"));
        if (!Files.exists(Path.of(options.get("--data"), "manifest.json"))) {
            System.err.println(options.get("--data") + ": no manifest.json");
            Runtime.getRuntime().halt(2);
        }
        RunSpec spec = SpecLoader.read(Path.of(options.get("--spec")));
        if (Integer.parseInt(options.get("--ranks")) > 1) {
            meet(Path.of(options.get("--rendezvous")), rank);
        }
        try {
            Fence fence = Fence.join(run, Long.parseLong(options.get("--epoch")), Duration.ofSeconds(5));
            int steps = options.containsKey("--steps")
                    ? Integer.parseInt(options.get("--steps"))
                    : spec.train().steps();
            int code = rank == 0 ? new ProtocolTrainer(spec, steps, run, fence).train() : follow(run, rank);
            System.out.flush();
            Runtime.getRuntime().halt(code);
        } catch (FencedException e) {
            System.err.println(e.getMessage());
            Runtime.getRuntime().halt(4);
        }
    }

    /** Until the parent's end. */
    private static void listen() {
        try (BufferedReader parent = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String line = parent.readLine(); line != null; line = parent.readLine()) {
                checkpointWanted |= line.equals(Trainer.CHECKPOINT);
            }
        } catch (IOException e) {
            System.err.println(e);
        }
        Runtime.getRuntime().halt(1);
    }

    /** Ranks leave a file each; the secret must be there. */
    private static void meet(Path rendezvous, int rank) throws IOException {
        if (System.getenv("PACER_RENDEZVOUS_TOKEN").length() < 32) {
            throw new IOException("no secret");
        }
        Files.createFile(rendezvous.resolveSibling(rendezvous.getFileName() + "-rank" + rank));
    }

    /** What the other ranks do here: wait, and fail when told to. */
    private static int follow(Path run, int rank) throws IOException, InterruptedException {
        Path finished = run.resolve("rank0-finished");
        while (!Files.exists(finished)) {
            if (stopping) {
                return 3;
            }
            if (Integer.getInteger("failingRank", 0) == rank && mishap(run)) {
                System.err.println("rank " + rank + " lost its way");
                return 1;
            }
            Thread.sleep(10);
        }
        return 0;
    }

    private int train() throws IOException, InterruptedException {
        CheckpointStore store = new CheckpointStore(run.resolve("checkpoints"), System.err::println);
        int from = store.recover(fence).map(c -> c.state().step()).orElse(0);
        try (EventLog log = EventLog.open(run.resolve("events.jsonl"), fence)) {
            if (Boolean.getBoolean("refuse") || isBroken()) {
                tell(
                        log,
                        new TrainingEvent.Failed(Instant.now(), 0, "model.width: must be a multiple of heads", false));
                return 2;
            }
            tell(
                    log,
                    new TrainingEvent.Started(
                            Instant.now(),
                            from,
                            steps,
                            1000,
                            spec.train().batchTokens(),
                            1,
                            "protocol",
                            0,
                            from == 0 ? null : "checkpoints/step-%06d".formatted(from)));
            for (int step = from + 1; step <= steps; step++) {
                Integer code = mishap(log, step);
                if (code != null) {
                    return code;
                }
                tell(log, new TrainingEvent.Step(Instant.now(), step, 4.0 / step + 1, 1, 1e-3, 2, 1000));
                boolean last = step == steps;
                if (last || stopping || checkpointWanted || step % spec.checkpoint().everySteps() == 0) {
                    checkpointWanted = false;
                    tell(log, new TrainingEvent.Validated(Instant.now(), step, loss(spec, step), 100, true));
                    save(store, step);
                    tell(
                            log,
                            new TrainingEvent.Checkpointed(
                                    Instant.now(), step, "checkpoints/step-%06d".formatted(step), 4, 1));
                }
                if (stopping) {
                    return 3;
                }
            }
            tell(log, new TrainingEvent.Finished(Instant.now(), steps, 4.0 / steps + 1, loss(spec, steps), 0.1, 1000));
        }
        Files.writeString(run.resolve("rank0-finished"), "");
        return 0;
    }

    /** Validation loss after {@code step}. */
    static double loss(RunSpec spec, int step) {
        return 4.0 / step + 1.1 + Double.parseDouble(System.getProperty("slope", "0")) * spec.optimizer().learningRate();
    }

    private boolean isBroken() {
        return spec.optimizer().learningRate() > 0.002 && Files.exists(Path.of(System.getProperty("broken", "nowhere")));
    }

    private Integer mishap(EventLog log, int step) throws IOException, InterruptedException {
        boolean spared = spec.optimizer().learningRate() <= Double.parseDouble(System.getProperty("above", "-1"));
        if (step != Integer.getInteger("at", -1) || spared || !mishap(run)) {
            return null;
        }
        switch (System.getProperty("mishap", "none")) {
            case "crash" -> {
                System.err.println("about to crash at step " + step);
                Runtime.getRuntime().halt(137);
            }
            case "fail" -> {
                tell(log, new TrainingEvent.Failed(Instant.now(), step, "loss is not finite", true));
                return 1;
            }
            case "wait" -> {
                while (!stopping && !Files.exists(run.resolve("go"))) {
                    Thread.sleep(5);
                }
            }
            case "hold" -> {
                while (!Files.deleteIfExists(run.resolve("go"))) {
                    Thread.sleep(5);
                }
                Runtime.getRuntime().halt(137);
            }
            case "hang" -> sleepForEver();
            case "slow" -> {
                for (int micro = 1; micro <= 8; micro++) {
                    Thread.sleep(500);
                    System.out.println(EventLog.line(new TrainingEvent.Working(
                            Instant.now(), step - 1, TrainingEvent.Working.Phase.MICRO_STEPS, micro, 8)));
                }
            }
            default -> throw new IllegalArgumentException(System.getProperty("mishap"));
        }
        return null;
    }

    /** Whether it is to happen now: at the first time only, or always. */
    private static boolean mishap(Path run) throws IOException {
        Path happened = run.resolve("mishap-happened");
        if (System.getProperty("mishap") == null || (Files.exists(happened) && !Boolean.getBoolean("always"))) {
            return false;
        }
        Files.writeString(happened, "");
        return true;
    }

    private void save(CheckpointStore store, int step) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            List<TensorSource> tensors = List.of(
                    TensorSource.of("weight", ElementType.F32, arena.allocateFrom(ValueLayout.JAVA_FLOAT, step), 1));
            store.save(
                    fence,
                    new TrainingState(
                            step,
                            step,
                            SpecHash.of(spec),
                            null,
                            4.0 / step + 1.1,
                            4.0 / step + 1.1,
                            spec.dataset().tokenizer(),
                            "ab",
                            spec.model(),
                            1,
                            TrainingState.Skips.NONE,
                            null,
                            null,
                            null,
                            null,
                            null,
                            null),
                    tensors,
                    tensors);
        }
        store.prune(fence, spec.checkpoint().keepLast(), spec.checkpoint().keepBest());
    }

    private static void tell(EventLog log, TrainingEvent event) throws IOException {
        log.append(event);
        System.out.println(EventLog.line(event));
    }

    private static void sleepForEver() {
        try {
            Thread.sleep(Long.MAX_VALUE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
