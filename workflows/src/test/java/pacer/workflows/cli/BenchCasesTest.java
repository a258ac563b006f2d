package pacer.workflows.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.trainer.bench.BenchCase;
import pacer.trainer.ops.Operations.Activation;
import pacer.trainer.ops.cpu.Gemms;
import pacer.trainer.spec.TrainSpec.Precision;

class BenchCasesTest {
    @TempDir
    private Path folder;

    private BenchCase find(String name, int length, String... sets) throws IOException {
        BenchCases.Timing timing = new BenchCases.Timing(length, Gemms.Kind.AUTO, 0, 60);
        return BenchCases.find(name, List.of(), List.of(sets), timing, new BenchFolder(folder));
    }

    @Test
    void aPresetIsTimedAsItTrains() throws IOException {
        BenchCase quickstart = find("quickstart", 0);
        assertThat(quickstart.model().vocabulary()).isEqualTo(78);
        assertThat(quickstart.model().parameters()).isEqualTo(805_760);
        assertThat(quickstart.sequences()).isEqualTo(12);
        assertThat(quickstart.length()).isEqualTo(64);
        assertThat(quickstart.microSteps()).isEqualTo(1);
        assertThat(quickstart.threads()).isEqualTo(Runtime.getRuntime().availableProcessors());
        assertThat(quickstart.steps()).isEqualTo(200);
        assertThat(find("shakespeare-char-cpu", 0).model().vocabulary()).isEqualTo(65);
    }

    @Test
    void theVocabularyIsTheTextsWhateverTheSettings() throws IOException {
        assertThat(find("quickstart", 0, "model.width=64", "model.layers=1", "model.bias=true", "model.tiedHead=false")
                        .model()
                        .vocabulary())
                .isEqualTo(78);
        assertThat(find("quickstart", 0, "model.vocabulary=128").model().vocabulary())
                .isEqualTo(128);
        assertThat(find("quickstart", 0, "dataset.tokenizer=gpt2").model().vocabulary())
                .isEqualTo(50257);
    }

    @Test
    void accumulationAndPrecisionAreThePresets() throws IOException {
        BenchCase large = find("shakespeare-char", 0, "train.precision=bf16", "train.threads=3");
        assertThat(large.sequences()).isEqualTo(16);
        assertThat(large.microSteps()).isEqualTo(4);
        assertThat(large.tokens()).isEqualTo(16384);
        assertThat(large.precision()).isEqualTo(Precision.BF16);
        assertThat(large.threads()).isEqualTo(3);
    }

    @Test
    void gpt2IsGpt2() throws IOException {
        BenchCase gpt2 = find("gpt2-124m-4x64", 0);
        assertThat(gpt2.model().parameters()).isEqualTo(124_439_808);
        assertThat(gpt2.model().activation()).isEqualTo(Activation.GELU_TANH);
        assertThat(gpt2.model().sequenceLength()).isEqualTo(1024);
        assertThat(gpt2.sequences()).isEqualTo(4);
        assertThat(gpt2.length()).isEqualTo(64);
        assertThat(gpt2.tokens()).isEqualTo(256);
        assertThat(gpt2.steps()).isEqualTo(10);
        assertThat(find("gpt2-124m-4x64", 128, "train.precision=bf16").tokens()).isEqualTo(512);
    }

    @Test
    void whatCannotBeTimedIsSaidInOneLine() throws IOException {
        refused(() -> find("quickstart", 65), "--length 65 is over the model's 64 positions");
        refused(() -> find("quickstart", 0, "train.ranks=2"), "train.ranks is 2");
        Path own = folder.resolve("own.yaml");
        Files.writeString(own, """
                name: own
                dataset: {url: "file:text.txt", tokenizer: characters}
                model: {layers: 1, heads: 1, width: 8, sequenceLength: 8}
                train: {steps: 1, batchTokens: 8, microBatch: 1}
                optimizer: {learningRate: 1e-3}
                """);
        refused(() -> find(own.toString(), 0), "--set model.vocabulary=");
        assertThat(find(own.toString(), 0, "model.vocabulary=5").model().vocabulary())
                .isEqualTo(5);
    }

    private static void refused(org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String saying) {
        assertThatThrownBy(call).isInstanceOf(Mistake.class).hasMessageContaining(saying);
    }
}
