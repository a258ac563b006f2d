package pacer.trainer.spec;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CanonicalYamlTest {

    @Test
    void whatIsWrittenReadsBackEqualAndWritesTheSame() {
        RandomSpecs specs = new RandomSpecs(7);
        for (int i = 0; i < 500; i++) {
            RunSpec spec = specs.next();
            String yaml = CanonicalYaml.write(spec);
            RunSpec back = bind(yaml);
            assertThat(back).as(yaml).isEqualTo(spec);
            assertThat(CanonicalYaml.write(back)).isEqualTo(yaml);
        }
    }

    /** Without the rules between settings, which random values do not keep. */
    private static RunSpec bind(String yaml) {
        Faults faults = new Faults();
        Layers layers = new Layers(Schema.RUN, faults);
        layers.add(YamlReader.file(yaml.getBytes(StandardCharsets.UTF_8), "spec.yaml", faults)
                .orElseThrow());
        Map<String, Object> values = layers.values(Place.of("spec.yaml"));
        faults.throwIfAny();
        return (RunSpec) Schema.RUN.build(values);
    }

    @Test
    void aWholeSpecificationOfAPreset(@TempDir Path folder) {
        SettingsFiles files = new SettingsFiles(folder);
        RunSpec spec =
                SpecResolver.resolve(SpecLoader.load("quickstart", List.of(), List.of()), new Processor(2, false), 78);
        String yaml = CanonicalYaml.write(spec);
        assertThat(SpecLoader.read(files.write("preset.yaml", yaml))).isEqualTo(spec);
        assertThat(yaml)
                .startsWith("""
                        name: "quickstart"
                        description: "A small character-level GPT on Dickens, nanoGPT's CPU quickstart"
                        seed: 1337
                        device: cpu

                        dataset:
                          url: "maven:org.apache.crunch:crunch-test:0.15.0!/dickens.txt"
                        """)
                .contains("""

                        optimizer:
                          type: adamw
                          learningRate: 0.001
                          beta1: 0.9
                          beta2: 0.99
                          epsilon: 1e-8
                          weightDecay: 0.1
                          embeddingRate: 0.0
                          headRate: 0.0
                          scalarRate: 0.0
                          momentum: 0.95
                          momentumStart: 0.85
                          momentumWarmupSteps: 300
                          momentumForm: mean
                          updateScale: taller
                          jointQkv: false

                        schedule:
                          type: cosine
                          warmupSteps: 100
                          decaySteps: 2000
                          floor: 0.1
                        """)
                .contains("""
                          tiedHead: true
                          norm: layer_norm
                          embeddingNorm: false
                          softcap: 0.0
                          initial: gpt2
                          attention:
                            positions: learned
                        """)
                .contains("""
                            windowBlock: 128
                          stream:
                            embedding: false
                            skips: false

                        weights:
                          from: ""
                        """)
                .endsWith("cost:\n  dollarsPerHour: 0.0\n");
    }

    @ParameterizedTest
    @CsvSource({
        "0.1, 0.1",
        "1e-8, 1e-8",
        "0.001, 0.001",
        "1.5e-4, 1.5e-4",
        "0, 0.0",
        "1, 1.0",
        "1e9, 1e9",
        "0.30000000000000004," + " 0.30000000000000004",
        "4.9e-324, 4.9e-324"
    })
    void doublesAreAsShortAsTheyCanBe(double value, String text) {
        assertThat(CanonicalYaml.number(value)).isEqualTo(text);
    }
}
