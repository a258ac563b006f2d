package pacer.workflows.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.RunJson;

@Timeout(120)
class BenchCommandTest {
    @TempDir
    private Path folder;

    private final Screen screen = new Screen();
    private Path tiny;

    @BeforeEach
    void preset() throws IOException {
        tiny = Files.writeString(folder.resolve("tiny.yaml"), """
                name: tiny
                dataset: {url: "file:text.txt", tokenizer: characters}
                model: {layers: 1, heads: 2, width: 16, sequenceLength: 8, vocabulary: 11}
                train: {steps: 1, batchTokens: 32, microBatch: 4, threads: 1}
                optimizer: {learningRate: 1e-3}
                """);
    }

    private int bench(String... arguments) {
        List<String> line = new ArrayList<>(List.of("bench"));
        line.addAll(List.of(arguments));
        return Pacer.run(line.toArray(String[]::new), screen.console(Map.of()));
    }

    private int tiny(String... more) {
        List<String> arguments = new ArrayList<>(List.of(
                tiny.toString(), "--steps", "2", "--repeats", "2", "--warmup", "0", "--products", "vector", "--cache"));
        arguments.add(folder.resolve("cache").toString());
        arguments.addAll(List.of(more));
        return bench(arguments.toArray(String[]::new));
    }

    @Test
    void timesStepsInProcessesOfTheirOwn() throws IOException {
        Path saved = folder.resolve("results");
        assertThat(tiny("-o", "json", "--save", saved.toString()))
                .as(screen.errors())
                .isEqualTo(Exit.OK);
        JsonNode json = RunJson.MAPPER.readTree(screen.raw());
        assertThat(json.at("/result/pairs").size()).isEqualTo(2);
        assertThat(json.at("/result/pairs/1/ours/step/steps").asInt()).isEqualTo(2);
        assertThat(json.at("/result/pairs/1/ours/secondsToFirstStep").asDouble())
                .isBetween(0.05, 60.0);
        assertThat(json.at("/command").asText()).startsWith("pacer bench tiny.yaml --steps 2 --repeats 2");
        try (Stream<Path> files = Files.list(saved)) {
            assertThat(files.map(f -> f.getFileName().toString().replaceAll(".*\\.", "")))
                    .containsExactlyInAnyOrder("md", "json");
        }
    }

    /** A program that answers as {@code pytorch_step.py} does; {@code losses} are those of ours, or not. */
    private String theirs(String losses) throws IOException {
        Path file = folder.resolve("python");
        Files.writeString(file, """
                #!/bin/sh
                case "$*" in
                  *" --probe") echo '{"default": 0.3, "fused": 0.1, "loop": 0.3}' ;;
                  *" --adamw default" | *" --adamw fused") echo '{"engine": "PyTorch 9", "runtime": "r", "device": "d", "settings": [], "threads": 1,
                    "parameters": 3616, "tokens": 32, "warmupSteps": 4, "steady": true, "steps": 2, "losses": %s,
                    "millis": {"median": 50, "p10": 50, "p90": 50}, "cpuMillis": 50, "tokensPerSecond": 640,
                    "firstStepEpochMillis": 1e12, "peakBytes": null}' | tr '\\n' ' ' ;;
                  *) echo 9.9 ;;
                esac
                """.formatted(losses));
        assertThat(file.toFile().setExecutable(true)).isTrue();
        return file.toString();
    }

    private String ours() throws IOException {
        assertThat(tiny("-o", "json")).isEqualTo(Exit.OK);
        JsonNode json = RunJson.MAPPER.readTree(screen.raw());
        assertThat(json.at("/result/pairs/0/ours/step/parameters").asInt()).isEqualTo(3616);
        return json.at("/result/pairs/0/ours/step/losses").toString();
    }

    @Test
    void comparesWithPyTorchInTurns() throws IOException {
        String python = theirs(ours());
        assertThat(tiny("--against", "pytorch", "--python", python))
                .as(screen.errors())
                .isEqualTo(Exit.OK);
        assertThat(screen.seen())
                .contains("PyTorch 9.9, AdamW default (an update: default 0.30 ms, fused 0.10 ms, loop 0.30 ms)")
                .anyMatch(line -> line.matches("1/2  pacer [0-9.]+ ms  PyTorch 50.00 ms  ratio [0-9.]+"))
                .anyMatch(line -> line.startsWith("2/2  pacer"))
                .anyMatch(line -> line.startsWith("tiny, fp32: ") && line.contains("x ("));
    }

    @Test
    void givesPyTorchItsQuickestAdamWWhenAsked() throws IOException {
        assertThat(tiny("--against", "pytorch", "--tuned", "--python", theirs(ours())))
                .as(screen.errors())
                .isEqualTo(Exit.OK);
        assertThat(screen.seen())
                .anyMatch(line -> line.startsWith("PyTorch 9.9, AdamW fused"))
                .anyMatch(line -> line.contains(" of tuned PyTorch's time"));
    }

    @Test
    void sidesThatComputeDifferentThingsAreNoComparison() throws IOException {
        String python = theirs("[2.4, 2.4, 2.4, 2.4]");
        Path saved = folder.resolve("results");
        assertThat(tiny("--against", "pytorch", "--python", python, "--save", saved.toString()))
                .isEqualTo(Exit.FAILED);
        assertThat(screen.errors()).contains("pacer: the two sides do not compute the same: losses");
        assertThat(saved).doesNotExist();
    }

    @Test
    void whatDoesNotGoTogetherIsRefused() {
        refused("--whole and --launch", "--whole", "--launch");
        refused("--nanogpt is for whole runs", "--nanogpt", "x");
        refused("--whole is compared with nanoGPT; give --nanogpt DIR", "--whole", "--against", "pytorch");
        refused("--launch times pacer alone", "--launch", "--against", "pytorch");
        refused("--steps, --length and --products are for timing steps", "--whole", "--steps", "5");
        refused("--tuned is for PyTorch's steps", "--tuned");
        refused("--python is for PyTorch", "--python", "python3");
        refused("must be 1 or more", "--steps", "-1");
        refused("--warmup must be from 0", "--warmup", "-1");
        refused("model.layer", "--set", "model.layer=3");
    }

    private void refused(String saying, String... arguments) {
        assertThat(bench(arguments)).isEqualTo(Exit.USAGE);
        assertThat(screen.errors()).contains(saying);
    }
}
