package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.Home;
import pacer.activities.run.RunHub;
import pacer.activities.run.RunJson;
import pacer.activities.run.RunPlan;
import pacer.activities.run.RunRequest;
import pacer.activities.run.TestRuns;
import pacer.trainer.spec.SpecHash;
import pacer.trainer.spec.SpecLoader;

class SpecLayersTest {
    @TempDir
    private Path folder;

    @Test
    void aRelativeFileGetsItsWholePathWhereverItWasNamed() throws Exception {
        Path text = folder.resolve("it's a text.txt");
        Path relative = Path.of("").toAbsolutePath().relativize(text);
        Path config = Files.writeString(
                folder.resolve("config.yaml"), "dataset: {url: \"file:" + relative + "\", sha256: ''}\n");

        SpecLayers layers = SpecLayers.load("quickstart", List.of(config), List.of("train.steps=500"));

        assertThat(layers.spec().dataset().url()).isEqualTo("file:" + text);
        RunRequest request = layers.request("a note", "an-id");
        assertThat(request.preset()).isEqualTo("quickstart");
        assertThat(request.config()).containsExactly(Files.readString(config));
        assertThat(request.sets())
                .startsWith(
                        "train.steps=500",
                        "dataset.url='file:" + text.toString().replace("'", "''") + "'");
    }

    @Test
    void theWorkerExpectsWhatTheClientDoes() throws Exception {
        Path relative = Path.of("").toAbsolutePath().relativize(folder.resolve("text.txt"));
        Path preset = Files.writeString(folder.resolve("own.yaml"), """
                name: own
                dataset: {url: "file:%s", tokenizer: characters}
                model: {layers: 1, heads: 1, width: 8, sequenceLength: 8}
                train: {steps: 12, batchTokens: 32, microBatch: 4}
                optimizer: {learningRate: 1e-2}
                expectation: {validationLoss: 2, source: "it's mine"}
                """.formatted(relative));
        Home home = TestRuns.home(folder);
        for (List<String> sets : List.of(List.<String>of(), List.of("train.steps=3"))) {
            SpecLayers layers = SpecLayers.load(preset.toString(), List.of(), sets);
            RunPlan plan = TestRuns.runs(home, new RunHub()).open(layers.request(null, null), "workflow " + sets);
            assertThat(SpecLoader.read(home.run(plan.run()).preset()).expectation())
                    .isEqualTo(layers.spec().expectation())
                    .matches(e -> e.validationLoss() == (sets.isEmpty() ? 2 : 0));
        }
    }

    @Test
    void theWorkerMakesTheSameSpecWhateverTheOrderOfTheSettings() throws Exception {
        Home home = TestRuns.home(folder);
        for (List<String> sets : List.of(
                List.of("model.layers=3", "model={layers: 2}"),
                List.of("model={layers: 2}", "model.layers=3"),
                List.of("train.steps=3", "train.steps=4"))) {
            SpecLayers layers = SpecLayers.load("quickstart", List.of(), sets);
            String text = RunJson.MAPPER.writeValueAsString(layers.request(null, null));
            RunPlan plan = TestRuns.runs(home, new RunHub())
                    .open(RunJson.MAPPER.readValue(text, RunRequest.class), "workflow " + sets);
            assertThat(plan.specHash()).as("%s", sets).isEqualTo(SpecHash.of(layers.spec()));
        }
    }

    @Test
    void whatNeedsNoPathStaysAsItWasGiven() throws Exception {
        Path preset = Files.writeString(folder.resolve("own.yaml"), """
                name: own
                dataset: {url: "file:%s", tokenizer: characters}
                model: {layers: 1, heads: 1, width: 8, sequenceLength: 8}
                train: {steps: 12, batchTokens: 32, microBatch: 4}
                optimizer: {learningRate: 1e-2}
                """.formatted(folder.resolve("text.txt")));

        SpecLayers layers = SpecLayers.load(preset.toString(), List.of(), List.of());

        assertThat(layers.preset()).as("no worker elsewhere has this file").isNull();
        assertThat(layers.configs()).containsExactly(Files.readString(preset));
        assertThat(layers.sets()).isEmpty();
        assertThat(layers.spec().train().threads()).as("filled in").isPositive();
    }
}
