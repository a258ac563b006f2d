package pacer.trainer.spec;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import pacer.trainer.memory.MemoryFact;
import pacer.trainer.model.Parameter;
import pacer.trainer.model.Parameters;

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

    private static final List<String> OF_ALL =
            List.of("source", "data", "parameters", "tokens", "memory", "time", "loss");
    private static final List<String> OF_RECORDS = List.of(
            "record",
            "change",
            "source",
            "data",
            "parameters",
            "tokens",
            "flops",
            "memory",
            "time",
            "cost",
            "loss",
            "differs");

    private static final List<String> OF_LONG_ONES =
            List.of("source", "data", "parameters", "tokens", "flops", "memory", "time", "cost", "loss", "differs");

    /** GPT-2's published sizes, as OpenAI's weights have them; nanoGPT pads its vocabulary and leaves out biases. */
    @ParameterizedTest
    @CsvSource({
        "eval-gpt2, 124439808",
        "eval-gpt2-medium, 354823168",
        "eval-gpt2-large, 774030080",
        "eval-gpt2-xl, 1557611200",
        "finetune-shakespeare, 1557611200",
        "llmc-124m, 124475904",
        "openwebtext-124m, 124373760",
        "scaleup-1b, 1549467648",
    })
    void otherPresetsHaveThePublishedSizes(String name, long parameters) {
        assertThat(Presets.named(name).spec().model().parameters()).isEqualTo(parameters);
    }

    /** Weights that a preset begins with are known, and fit its model. */
    @Test
    void everyNameOfWeightsHasAPresetThatMeasuresThem() {
        for (String name : KnownWeights.NAMES) {
            RunSpec spec = Presets.named("eval-" + name).spec();
            assertThat(spec.weights()).isEqualTo(new WeightsSpec(name, ""));
            assertThat(spec.train().steps()).isZero();
            KnownWeights known = KnownWeights.find(name).orElseThrow();
            assertThat(known.homes())
                    .singleElement()
                    .asString()
                    .matches("https://.*/" + name + "/resolve/[0-9a-f]{40}/");
            assertThat(known.known().values()).allMatch(digest -> digest.matches("[0-9a-f]{64}"));
        }
    }

    @ParameterizedTest
    @MethodSource("presets")
    void headersAreWorkedOutFromTheSettings(Preset preset) throws Exception {
        RunSpec spec = preset.spec();
        boolean isRecord =
                preset.name().startsWith("speedrun-") || preset.name().startsWith("scaleup-");
        boolean isLong = preset.name().startsWith("llmc-") || preset.name().startsWith("openwebtext-");
        boolean named = spec.model().vocabulary() > 0;
        assertThat(preset.facts().sequencedKeySet())
                .containsExactlyElementsOf(isRecord ? OF_RECORDS : isLong ? OF_LONG_ONES : OF_ALL);
        ModelSpec model = named ? spec.model() : spec.model().withVocabulary(vocabulary(spec));
        assertThat(preset.parameters()).isEqualTo(model.parameters());
        List<Parameter> parameters = Parameters.of(model).all();
        long matrices = parameters.stream().filter(Parameter::decays).count();
        assertThat(preset.facts().get("parameters"))
                .endsWith((named
                                ? "(%d tensors of two dimensions, %d of one)"
                                : "(%d tensors with weight decay, %d without)")
                        .formatted(matrices, parameters.size() - matrices));
        assertThat(preset.facts().get("tokens"))
                .startsWith("%,d (%,d steps of %d x %d)"
                        .formatted(
                                preset.tokens(),
                                spec.train().steps(),
                                spec.train().batchTokens() / model.sequenceLength(),
                                model.sequenceLength()));
        assertThat(preset.vocabulary()).isEqualTo(model.vocabulary());
        assertThat(preset.facts().get("memory")).isEqualTo(MemoryFact.of(preset));
        if (spec.expectation().referenceLoss() > 0) {
            assertThat(preset.facts().get("loss"))
                    .contains(Double.toString(spec.expectation().referenceLoss()));
        }
        if (isRecord || isLong) {
            requireFlops(preset, model);
        }
        if (isRecord) {
            requireArithmetic(preset);
        }
        if (isLong) {
            requireHours(preset);
        }
    }

    private static void requireFlops(Preset preset, ModelSpec model) {
        double flops = Flops.perToken(model, model.parameters());
        assertThat(preset.facts().get("flops"))
                .startsWith(
                        "%.3f GFLOP a token, %.3f EFLOP in all".formatted(flops / 1e9, flops * preset.tokens() / 1e18));
    }

    private static void requireHours(Preset preset) {
        Matcher time = Pattern.compile(
                        "(?:([0-9]+) days|([0-9.]+) hours) on 8x\\w+ .*?(?:\\(([0-9,]+) ms a step.*)?, ([0-9]+) GPU hours;.*")
                .matcher(preset.facts().get("time"));
        assertThat(time.matches()).as(preset.facts().get("time")).isTrue();
        double hours =
                time.group(1) != null ? 24 * Double.parseDouble(time.group(1)) : Double.parseDouble(time.group(2));
        if (time.group(3) != null) {
            double worked = preset.spec().train().steps()
                    * Double.parseDouble(time.group(3).replace(",", ""))
                    / 3.6e6;
            assertThat(hours).isEqualTo(Math.round(10 * worked) / 10.0);
            hours = worked;
        }
        assertThat(time.group(4)).isEqualTo("%.0f".formatted(8 * hours));
        Matcher cost = Pattern.compile("([0-9.]+) USD at ([0-9.]+) USD an hour and GPU")
                .matcher(preset.facts().get("cost"));
        assertThat(cost.matches()).isTrue();
        assertThat(cost.group(1)).isEqualTo("%.2f".formatted(8 * hours * Double.parseDouble(cost.group(2))));
    }

    private static void requireArithmetic(Preset preset) {
        Matcher minutes = Pattern.compile("([0-9.]+) minutes on 8xH100 .* ([0-9]+) GPU minutes.*")
                .matcher(preset.facts().get("time"));
        assertThat(minutes.matches()).isTrue();
        double time = Double.parseDouble(minutes.group(1));
        assertThat(minutes.group(2)).isEqualTo("%.0f".formatted(8 * time));
        assertThat(preset.facts().get("record")).endsWith(minutes.group(1) + " minutes on 8xH100");
        assertThat(preset.facts().get("cost")).startsWith("%.2f USD at 3 USD".formatted(time / 60 * 8 * 3));
        int batch = preset.spec().train().batchTokens();
        long shards = Math.ceilDiv(preset.tokens(), 100_000_000L / batch * batch);
        assertThat(preset.spec().dataset().shards()).isEqualTo((int) shards);
        assertThat(preset.facts().get("data")).contains("the first " + shards + " of 103 shards");
    }

    /** Parameters as the state dicts of the records' own code count them. */
    @ParameterizedTest
    @CsvSource({
        "speedrun-01, 124439808, 19560",
        "speedrun-02, 123532032, 9536",
        "speedrun-03, 123532032, 7000",
        "speedrun-04, 123532032, 6200",
        "speedrun-07, 123568128, 5100",
        "speedrun-08, 162201600, 4578",
        "speedrun-09, 162201636, 3200",
        "speedrun-11, 162201642, 3000",
        "speedrun-14, 625803306, 1530",
        "speedrun-16, 394002486, 1480",
        "speedrun-18, 275742772, 1390",
    })
    void recordsHaveThePublishedSizes(String name, long parameters, int steps) {
        RunSpec spec = Presets.named(name).spec();
        assertThat(spec.model().parameters()).isEqualTo(parameters);
        assertThat(spec.train().steps()).isEqualTo(steps);
        assertThat(spec.train().batchTokens()).isEqualTo(8 * 65536);
        assertThat(spec.evaluation().tokens()).isEqualTo(10_485_760);
    }

    /** As the records' own code works windows out, at each of their steps: 64 to 1,792 tokens in 13 to 15, 1 to 14 blocks of 128 from 16 on. */
    @ParameterizedTest
    @ValueSource(ints = {13, 14, 15, 16, 17, 18})
    void windowsGrowAsTheRecordsDo(int record) {
        RunSpec spec = Presets.named("speedrun-" + record).spec();
        int steps = spec.train().steps();
        for (int step = 0; step <= steps; step++) {
            double x = (double) step / steps;
            double expected =
                    switch (record) {
                        case 13, 14, 15 -> 64 * Math.floor((x * (1792 - 64) + 64) / 64);
                        case 16, 17 -> 128 * Math.floor(((1 - x) * 64 + x * 1792 + 64) / 128);
                        default -> 128 * Math.floor(((1 - x) * 128 + x * 1856) / 128);
                    };
            assertThat(spec.model().attention().windowAt(spec.train().progress(step)))
                    .as("step %d", step)
                    .isEqualTo((int) expected);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 100, 1000, 1024, 1792})
    void aWindowThatDoesNotGrowStaysAsItIs(int tokens) {
        for (int unit : new int[] {1, tokens}) {
            AttentionSpec attention = new AttentionSpec(
                    AttentionSpec.Positions.ROTARY,
                    1000,
                    false,
                    AttentionSpec.Values.PLAIN,
                    1,
                    -1,
                    -1,
                    tokens,
                    0,
                    unit,
                    AttentionSpec.WindowKind.TOKENS,
                    128);
            for (int step = 0; step <= 1000; step++) {
                assertThat(attention.windowAt(step / 1000.0)).isEqualTo(tokens);
            }
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
        assertThat(spec.schedule()).isEqualTo(new ScheduleSpec(ScheduleSpec.Type.COSINE, 100, steps, 0.1, 0.4, 0));
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
