package pacer.workflows.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.RunJson;

/** The command on tiny runs, with real trainer processes. */
@Timeout(180)
class SweepCommandTest {
    @TempDir
    private Path folder;

    private final Screen screen = new Screen();
    private Path preset;

    @BeforeEach
    void prepare() throws Exception {
        Path text = folder.resolve("text.txt");
        Files.writeString(text, "the quick brown fox jumps over the lazy dog\n".repeat(200));
        preset = folder.resolve("tiny.yaml");
        Files.writeString(preset, """
                name: tiny
                dataset: {url: 'file:%s', tokenizer: characters}
                model: {layers: 1, heads: 2, width: 16, sequenceLength: 8, bias: false}
                train: {steps: 8, batchTokens: 32, microBatch: 4, threads: 1}
                optimizer: {learningRate: 1e-2}
                evaluation: {everySteps: 4, tokens: 160}
                sample: {count: 0}
                """.formatted(text));
    }

    private int sweep(String... arguments) {
        List<String> all = new ArrayList<>(List.of("sweep", preset.toString()));
        all.addAll(List.of(arguments));
        return pacer(all.toArray(String[]::new));
    }

    private int pacer(String... arguments) {
        return Pacer.run(
                arguments,
                screen.console(Map.of(
                        "PACER_RUNS", folder.resolve("runs").toString(),
                        "PACER_CACHE", folder.resolve("cache").toString(),
                        "PACER_COMMAND", "./pacer")));
    }

    @Test
    void aSweepEndsWithItsTableItsBestAndWhatToDoNext() throws Exception {
        assertThat(sweep("--vary", "optimizer.learningRate=1e-4,1e-2", "--seeds", "2"))
                .as(screen.errors())
                .isZero();
        String said = screen.raw();
        assertThat(said)
                .contains("2 points, 2 seeds: 4 runs of 32 steps in all, one at a time")
                .contains("run 1 of 4: learningRate 1e-4, seed 1337")
                .contains("✓ learningRate 1e-2, seed 1338: val loss ")
                .containsPattern("3 of 4 runs ended, about .* to go")
                .containsPattern("POINT +RUNS +VAL LOSS +SD +TOKENS/S")
                .containsPattern("best: learningRate 1e-2, val loss \\d\\.\\d{4} ± \\d\\.\\d{4} over 2 seeds; ")
                .contains("--set optimizer.learningRate=1e-2")
                .doesNotContain("Publish");
        String page = said.lines()
                .filter(line -> line.startsWith("curves"))
                .findFirst()
                .orElseThrow()
                .replaceFirst("curves +", "");
        assertThat(Path.of(page)).isRegularFile();
    }

    @Test
    void jsonHasPointsTheBestFirst() throws Exception {
        assertThat(sweep("--vary", "optimizer.learningRate=1e-4,1e-2", "-o", "json"))
                .as(screen.errors())
                .isZero();
        JsonNode result = RunJson.MAPPER.readTree(screen.raw());
        assertThat(result.at("/points/0/settings/optimizer.learningRate").asText())
                .isEqualTo("1e-2");
        assertThat(result.at("/runs")).hasSize(2);
        assertThat(result.at("/complete").asBoolean()).isTrue();
    }

    @Test
    void allMistakesAreToldAtOnceAndNothingStarts() {
        assertThat(sweep("--vary", "optimizer.learningRate=1e-2,fast", "--vary", "train.steps=8,-1", "--seeds", "0"))
                .isEqualTo(Exit.USAGE);
        assertThat(screen.errors())
                .contains("seeds: 0, must be 1 or more")
                .contains("--vary optimizer.learningRate=fast: fast, must be a plain decimal number")
                .contains("--vary train.steps=-1: -1, must be");
        assertThat(folder.resolve("runs")).isEmptyDirectory();
    }

    @Test
    void whatIsGoneOnWithIsNotAskedForAnew() {
        assertThat(sweep("--resume", "some")).as("with a preset").isEqualTo(Exit.USAGE);
        assertThat(pacer("sweep", "--resume", "some", "--seeds", "2")).isEqualTo(Exit.USAGE);
        assertThat(screen.errors().lines())
                .hasSize(2)
                .allMatch(line -> line.contains("--resume some goes on with the sweep as it was asked for"));
        assertThat(pacer("sweep", "--resume", "some")).isEqualTo(Exit.USAGE);
        assertThat(screen.errors()).contains("sweep some: there is no ");
    }
}
