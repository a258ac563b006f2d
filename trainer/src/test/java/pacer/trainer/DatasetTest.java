package pacer.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.trainer.data.BadDataException;
import pacer.trainer.spec.SpecLoader;

/** What is refused before training rather than hours into it. */
class DatasetTest {
    @TempDir
    private Path folder;

    private TrainerFixture fixture;

    @BeforeEach
    void prepare() throws Exception {
        fixture = new TrainerFixture(folder);
    }

    private Dataset open(String... sets) throws IOException {
        return Dataset.open(
                fixture.data(), SpecLoader.read(fixture.run("run", sets).resolve("preset.yaml")));
    }

    @Test
    void aPromptOfCharactersThatTheDatasetHasNotIsRefused() {
        assertThatThrownBy(() -> open("sample.prompt=\"the Ünion\""))
                .isInstanceOf(BadDataException.class)
                .hasMessageContainingAll("sample.prompt", "\"the Ünion\"", "'Ü'", "leave it out");
    }

    @Test
    void aPromptThatNoSampleUsesMayBeAnything() throws IOException {
        try (Dataset dataset = open("sample.prompt=\"Ü\"", "sample.count=0", "sample.everySteps=0")) {
            assertThat(dataset.hasValidation()).isTrue();
        }
    }

    @Test
    void whereFewerTokensAreThereThanAreToBeMeasuredAllAreAndItIsSaid() throws IOException {
        try (Dataset all = open("evaluation.tokens=0");
                Dataset more = open("evaluation.tokens=1000000")) {
            assertThat(more.validation(0).windows()).isEqualTo(all.validation(0).windows());
            assertThat(more.shortfall().orElseThrow())
                    .startsWith("evaluation.tokens is 1,000,000, but the validation data hold ")
                    .endsWith(" in whole windows: all of them are measured");
            assertThat(all.shortfall()).isEmpty();
        }
    }

    @Test
    void windowsThatAreDrawnMayBeMoreThanThereAre() throws IOException {
        try (Dataset dataset = open("evaluation.tokens=1000000", "evaluation.windows=sampled")) {
            assertThat(dataset.validation(0).windows()).isEqualTo(62_500);
        }
    }
}
