package pacer.trainer;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import pacer.trainer.checkpoint.Checkpoint;
import pacer.trainer.checkpoint.CheckpointStore;
import pacer.trainer.checkpoint.EventLog;
import pacer.trainer.checkpoint.Fence;
import pacer.trainer.checkpoint.Gpt2Export;
import pacer.trainer.checkpoint.Safetensors;
import pacer.trainer.checkpoint.TensorSource;
import pacer.trainer.event.TrainingEvent;
import pacer.trainer.spec.CanonicalYaml;
import pacer.trainer.spec.DatasetSpec;
import pacer.trainer.spec.ModelSpec;
import pacer.trainer.spec.Processor;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecLoader;
import pacer.trainer.spec.SpecResolver;
import pacer.trainer.text.DatasetManifest;
import pacer.trainer.text.Tokenization;

/** A small dataset, and trainers on it as the processes that they are. */
final class TrainerFixture {
    private final Path folder;
    private final Path data;
    private final int vocabulary;

    TrainerFixture(Path folder) throws IOException, InterruptedException {
        this.folder = folder;
        this.data = folder.resolve("data");
        Path text = folder.resolve("text.txt");
        Files.writeString(text, words(20_000));
        DatasetSpec.Tokenizer kind = DatasetSpec.Tokenizer.CHARACTERS;
        Tokenization.Result result = new Tokenization(text, DatasetSpec.Format.TEXT, kind, 0.1, data, 1_000_000, 1)
                .run((phase, done, total) -> {});
        DatasetManifest manifest = new DatasetManifest(
                "file:text.txt",
                "",
                Files.size(text),
                DatasetSpec.Format.TEXT,
                kind,
                result.vocabularySize(),
                result.characters(),
                0.1,
                result.shards());
        Files.write(data.resolve(DatasetManifest.NAME), manifest.toJson());
        this.vocabulary = result.vocabularySize();
    }

    private static String words(int characters) {
        String[] words = {"the", "cat", "sat", "on", "a", "mat", "and", "saw", "two", "birds;", "they", "flew\n"};
        Random random = new Random(7);
        StringBuilder text = new StringBuilder();
        while (text.length() < characters) {
            text.append(words[random.nextInt(words.length)]).append(' ');
        }
        return text.toString();
    }

    /** The folder of the dataset. */
    Path data() {
        return data;
    }

    /** A run's folder with a small model's spec; {@code sets} as on the command line. */
    Path run(String name, String... sets) throws IOException {
        List<String> all = new ArrayList<>(List.of(
                "model.layers=2",
                "model.heads=2",
                "model.width=32",
                "model.sequenceLength=16",
                "train.batchTokens=128",
                "train.microBatch=4",
                "train.steps=40",
                "train.threads=2",
                "schedule.warmupSteps=5",
                "schedule.decaySteps=40",
                "evaluation.everySteps=10",
                "evaluation.tokens=160",
                "checkpoint.everySteps=4",
                "model.dropout=0.1"));
        all.addAll(Arrays.asList(sets));
        RunSpec spec = SpecResolver.resolve(
                SpecLoader.load("quickstart", List.of(), all), new Processor(2, false), vocabulary);
        Path run = folder.resolve(name);
        Files.createDirectories(run);
        Files.writeString(run.resolve("preset.yaml"), CanonicalYaml.write(spec));
        return run;
    }

    /** What the newest checkpoint of {@code run} has for weights, exported to a folder to begin with. */
    Path exported(Path run) throws IOException {
        Checkpoint checkpoint = new CheckpointStore(run.resolve("checkpoints"), notice -> {})
                .newest()
                .orElseThrow();
        Path exported = folder.resolve("exported");
        try (Safetensors stored = checkpoint.openWeights()) {
            List<TensorSource> tensors = stored.tensors().values().stream()
                    .map(t -> TensorSource.of(
                            t.name(),
                            t.type(),
                            t.bytes(),
                            t.shape().stream().mapToLong(d -> d).toArray()))
                    .toList();
            ModelSpec model = checkpoint.state().model();
            Gpt2Export.write(exported, model, model.vocabulary(), tensors, 0, Map.of());
        }
        return exported;
    }

    /** Starts an attempt at training {@code run}, rank by rank. */
    List<Process> start(Path run, int ranks, String... jvmOptions) throws IOException {
        Fence fence = Fence.acquire(run, Duration.ofSeconds(20), notice -> {});
        List<Process> started = new ArrayList<>();
        for (int rank = 0; rank < ranks; rank++) {
            List<String> command = new ArrayList<>();
            command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
            command.addAll(Trainer.JVM_FLAGS);
            command.addAll(List.of("-Xmx512m", "-XX:+UseSerialGC"));
            command.addAll(Arrays.asList(jvmOptions));
            command.addAll(List.of("-cp", System.getProperty("java.class.path"), Trainer.class.getName()));
            command.addAll(List.of("--spec", run.resolve("preset.yaml").toString()));
            command.addAll(List.of("--data", data.toString()));
            command.addAll(List.of("--run", run.toString()));
            command.addAll(List.of("--epoch", Long.toString(fence.epoch())));
            command.addAll(List.of("--rank", Integer.toString(rank), "--ranks", Integer.toString(ranks)));
            command.addAll(List.of(
                    "--rendezvous", run.resolve("rendezvous-" + fence.epoch()).toString()));
            command.addAll(List.of(
                    "--cache",
                    Path.of("target", "native-cache").toAbsolutePath().toString()));
            ProcessBuilder builder = new ProcessBuilder(command)
                    .redirectOutput(Redirect.appendTo(
                            run.resolve("rank" + rank + ".out").toFile()))
                    .redirectError(Redirect.appendTo(
                            run.resolve("rank" + rank + ".log").toFile()));
            builder.environment().put("PACER_RENDEZVOUS_TOKEN", "a secret of this test and no other");
            started.add(builder.start());
        }
        return started;
    }

    /** Runs the evaluator on a checkpoint of {@code run}; its exit code. What it says is in {@code evaluator.log}. */
    int evaluate(Path run, String checkpoint) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(Trainer.JVM_FLAGS);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Evaluator.class.getName()));
        command.addAll(List.of("--spec", run.resolve("preset.yaml").toString()));
        command.addAll(List.of("--data", data.toString()));
        command.addAll(List.of(
                "--checkpoint", run.resolve("checkpoints").resolve(checkpoint).toString()));
        command.addAll(List.of(
                "--cache", Path.of("target", "native-cache").toAbsolutePath().toString()));
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(run.resolve("evaluator.log").toFile())
                .start()
                .waitFor();
    }

    /** Steps taken so far, as the log of the run says. */
    static int steps(Path run) {
        return losses(run).size();
    }

    /** Every step's loss and gradient norm, bit for bit, in the order of steps. */
    static Map<Integer, String> losses(Path run) {
        Map<Integer, String> losses = new LinkedHashMap<>();
        for (TrainingEvent event : events(run)) {
            if (event instanceof TrainingEvent.Step step) {
                losses.put(
                        step.step(), Double.toHexString(step.loss()) + " " + Double.toHexString(step.gradientNorm()));
            }
        }
        return losses;
    }

    static List<TrainingEvent> events(Path run) {
        try {
            return EventLog.firstOccurrences(EventLog.read(run.resolve("events.jsonl"), damage -> {}));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Every step's loss as often as it was written: a resumed run writes some again, and they must agree. */
    static List<String> lossesAsWritten(Path run) throws IOException {
        return EventLog.read(run.resolve("events.jsonl"), damage -> {}).stream()
                .filter(TrainingEvent.Step.class::isInstance)
                .map(TrainingEvent.Step.class::cast)
                .map(s -> s.step() + " " + Double.toHexString(s.loss()) + " " + Double.toHexString(s.gradientNorm()))
                .toList();
    }
}
