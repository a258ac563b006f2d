package pacer.activities.training;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import pacer.trainer.checkpoint.EventLog;
import pacer.trainer.event.TrainingEvent;
import pacer.trainer.spec.SpecLoader;

/**
 * An evaluator as far as its process goes. {@code refuse}, {@code crash} and {@code hang} as system properties make it fail; with
 * {@code damage} ({@code checkpoint} or {@code shard}) it damages what it was given, once a run, and refuses it. With {@code scatter} losses differ by so much from seed to seed.
 */
public final class ProtocolEvaluator {
    private ProtocolEvaluator() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        Path checkpoint = option(arguments, "--checkpoint");
        if (Boolean.getBoolean("hang")) {
            Thread.sleep(Duration.ofDays(1));
        }
        switch (System.getProperty("damage", "")) {
            case "checkpoint" -> damage(checkpoint, checkpoint, ".safetensors");
            case "shard" -> damage(checkpoint, option(arguments, "--data"), ".bin");
            default -> {
                // all is sound
            }
        }
        if (Boolean.getBoolean("refuse") || !Files.exists(checkpoint.resolve("manifest.json"))) {
            System.err.println(checkpoint + " is no checkpoint");
            System.exit(2);
        }
        System.out.println("a library prints something");
        int step = Integer.parseInt(checkpoint.getFileName().toString().substring("step-".length()));
        System.out.println(
                EventLog.line(new TrainingEvent.Validated(Instant.now(), step, loss(checkpoint, step), 100, true)));
        if (Boolean.getBoolean("crash")) {
            Runtime.getRuntime().halt(134);
        }
        for (int i = 1; i <= 2; i++) {
            System.out.println(EventLog.line(new TrainingEvent.Sampled(Instant.now(), step, "\n", "sample " + i)));
        }
    }

    private static double loss(Path checkpoint, int step) throws IOException {
        return ProtocolTrainer.loss(SpecLoader.read(checkpoint.resolve("../../preset.yaml")), step) + scatter(checkpoint);
    }

    private static double scatter(Path checkpoint) throws IOException {
        double scatter = Double.parseDouble(System.getProperty("scatter", "0"));
        Path preset = checkpoint.resolve("../../preset.yaml");
        return scatter == 0
                ? 0
                : scatter
                        * Files.readAllLines(preset).stream()
                                .filter(line -> line.startsWith("seed: "))
                                .mapToLong(line -> Long.parseLong(line.substring("seed: ".length())) % 5)
                                .findFirst()
                                .orElseThrow();
    }

    private static Path option(String[] arguments, String name) {
        return Path.of(List.of(arguments).get(List.of(arguments).indexOf(name) + 1));
    }

    /** Flips a bit of a file in {@code folder}. */
    private static void damage(Path checkpoint, Path folder, String ending) throws IOException {
        Path done = checkpoint.resolveSibling("../damaged-once");
        if (Files.exists(done)) {
            return;
        }
        Files.createFile(done);
        try (Stream<Path> files = Files.list(folder)) {
            Path file = files.filter(f -> f.toString().endsWith(ending))
                    .findFirst()
                    .orElseThrow()
                    .toRealPath();
            byte[] bytes = Files.readAllBytes(file);
            bytes[bytes.length - 1] ^= 1;
            Files.delete(file); // a copy of its own, as on another disk
            Files.write(file, bytes);
        }
        System.err.println("damaged");
        System.exit(2);
    }
}
