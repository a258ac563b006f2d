package pacer.trainer.spec;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ExpectationsTest {
    @TempDir
    private Path folder;

    private static ExpectationSpec expected(String... sets) {
        return SpecLoader.load("quickstart", List.of(), List.of(sets)).expectation();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "train.steps=20",
                "train.batchTokens=1536",
                "train.precision=bf16",
                "model.layers=3",
                "optimizer.learningRate=2e-3",
                "schedule.warmupSteps=1",
                "dataset.sha256=",
                "dataset.tokenizer=gpt2",
                "evaluation.tokens=768"
            })
    void lapsesWhereTheLossIsAnother(String set) {
        ExpectationSpec lapsed = expected(set);
        assertThat(lapsed.validationLoss()).isZero();
        assertThat(lapsed.referenceLoss()).isZero();
        String path = set.substring(0, set.indexOf('='));
        assertThat(lapsed.lapse()).isEqualTo("no expectation: " + path + " differs from quickstart's");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "seed=2",
                "train.threads=1",
                "train.steps=2000",
                "checkpoint.everySteps=10",
                "sample.count=0",
                "name=mine",
                "dataset.url=file:/a/copy.txt",
                "train.microBatch=6",
                "train.ranks=4",
                "train.zeroStage=0",
                "train.recompute=2"
            })
    void holdsWhereItIsTheSame(String set) {
        assertThat(expected(set)).isEqualTo(expected());
        assertThat(expected().validationLoss()).isEqualTo(1.69);
        assertThat(expected().lapse()).isNull();
    }

    @Test
    void whoSaysWhatToExpectIsBelieved() {
        assertThat(expected("train.steps=20", "expectation.validationLoss=3").validationLoss())
                .isEqualTo(3);
    }

    @Test
    void severalDifferencesAreNamedAndTheHashIsThatOfTheSettings() throws Exception {
        RunSpec spec = SpecLoader.load(
                "quickstart",
                List.of(Files.writeString(folder.resolve("own.yaml"), "train: {steps: 7}\n")),
                List.of("model.layers=2", "schedule.warmupSteps=1", "optimizer.beta2=0.95"));
        assertThat(spec.expectation().lapse())
                .startsWith("no expectation: ")
                .contains("train.steps")
                .endsWith(" and others differ from quickstart's");
        Path resolved = Files.writeString(folder.resolve("resolved.yaml"), CanonicalYaml.write(spec));
        assertThat(SpecLoader.read(resolved)).as("it stays as it is").isEqualTo(spec);
    }
}
