package pacer.trainer.spec;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class PresetsTest {

    @Test
    void theListHoldsEveryPresetFile() throws Exception {
        Path folder = Path.of(PresetsTest.class.getResource("/presets").toURI());
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrderElementsOf(
                            Presets.NAMES.stream().map(name -> name + ".yaml").toList());
        }
    }

    @ParameterizedTest
    @MethodSource("presets")
    void headersAreWorkedOutFromTheSettings(Preset preset) throws Exception {
        RunSpec spec = preset.spec();
        assertThat(preset.facts().sequencedKeySet())
                .containsExactly("source", "data", "parameters", "tokens", "time", "loss");
        ModelSpec model = spec.model().withVocabulary(vocabulary(spec));
        assertThat(preset.parameters()).isEqualTo(model.parameters());
        int decayed = 4 * model.layers() + 2; // four products a block, two embeddings
        int others = 2 * model.layers() + 1; // norms
        assertThat(preset.facts().get("parameters"))
                .endsWith("(%d tensors with weight decay, %d without)".formatted(decayed, others));
        assertThat(preset.facts().get("tokens"))
                .startsWith("%,d (%,d steps of %d x %d)"
                        .formatted(
                                preset.tokens(),
                                spec.train().steps(),
                                spec.train().batchTokens() / model.sequenceLength(),
                                model.sequenceLength()));
        if (spec.expectation().referenceLoss() > 0) {
            assertThat(preset.facts().get("loss"))
                    .contains(Double.toString(spec.expectation().referenceLoss()));
        }
    }

    static Stream<Preset> presets() {
        return Presets.all().stream();
    }

    /** Distinct characters of the preset's text; tinyshakespeare's as nanoGPT's prepare.py states them. */
    private static int vocabulary(RunSpec spec) throws IOException {
        return spec.dataset().url().startsWith("maven:")
                ? (int) dickens().codePoints().distinct().count()
                : 65;
    }

    private static String dickens() throws IOException {
        try (InputStream in = PresetsTest.class.getResourceAsStream("/dickens.txt")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void quickstartsTextIsTheOneThatItPins() throws Exception {
        Preset quickstart = Presets.named("quickstart");
        String text = dickens();
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
        assertThat(HexFormat.of().formatHex(digest))
                .isEqualTo(quickstart.spec().dataset().sha256());
        assertThat(quickstart.facts().get("data"))
                .startsWith("%,d characters of prose, %d distinct"
                        .formatted(
                                text.codePointCount(0, text.length()),
                                text.codePoints().distinct().count()));
    }

    /** nanoGPT's README and train.py, config/train_shakespeare_char.py. */
    @ParameterizedTest
    @CsvSource({
        "quickstart,           4, 4, 128,  64, 12, 2000, 0.0",
        "shakespeare-char-cpu, 4, 4, 128,  64, 12, 2000, 0.0",
        "shakespeare-char,     6, 6, 384, 256, 64, 5000, 0.2",
    })
    void presetsAreNanoGptsConfigurations(
            String name, int layers, int heads, int width, int context, int batch, int steps, double dropout) {
        RunSpec spec = SpecResolver.forMachine(Presets.named(name).spec(), new Processor(2, false));
        ModelSpec model = spec.model();
        assertThat(model)
                .extracting(
                        ModelSpec::layers,
                        ModelSpec::heads,
                        ModelSpec::width,
                        ModelSpec::sequenceLength,
                        ModelSpec::dropout,
                        ModelSpec::bias,
                        ModelSpec::tiedHead,
                        ModelSpec::normEpsilon)
                .containsExactly(layers, heads, width, context, dropout, false, true, 1e-5);
        assertThat(spec.train().batchTokens()).isEqualTo(batch * context);
        assertThat(spec.train())
                .extracting(TrainSpec::steps, TrainSpec::gradientClip, TrainSpec::loader)
                .containsExactly(steps, 1.0, TrainSpec.Loader.RANDOM);
        assertThat(spec.optimizer()).isEqualTo(OptimizerSpec.adamW(1e-3, 0.9, 0.99, 1e-8, 0.1));
        assertThat(spec.schedule()).isEqualTo(new ScheduleSpec(ScheduleSpec.Type.COSINE, 100, steps, 0.1, 0.4));
        assertThat(spec.evaluation().everySteps()).isEqualTo(250);
        assertThat(spec.dataset().validationFraction()).isEqualTo(0.1);
        // the header of shakespeare-char-cpu says what other seeds end at
        assertThat(spec.seed()).isEqualTo(name.equals("shakespeare-char-cpu") ? 2 : 1337);
    }

    /** GPT-2's published sizes; nanoGPT prints 10.65M for its Shakespeare model, less the 256 × 384 positions. */
    @Test
    void parametersAreCountedAsPublished() {
        assertThat(gpt2(12, 768)).isEqualTo(124_439_808);
        assertThat(gpt2(48, 1600)).isEqualTo(1_557_611_200);
        ModelSpec shakespeare = Presets.named("shakespeare-char").spec().model().withVocabulary(65);
        assertThat(shakespeare.parameters() - 256 * 384).isEqualTo(10_646_784);
    }

    private static long gpt2(int layers, int width) {
        ModelSpec shape = Presets.named("quickstart").spec().model();
        return ModelSpec.gpt2(layers, 1, width, 1024, 50257, true, shape.activation(), shape.normEpsilon(), 0, true)
                .parameters();
    }
}
