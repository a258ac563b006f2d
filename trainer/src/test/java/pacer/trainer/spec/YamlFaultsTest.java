package pacer.trainer.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What each kind of bad settings file is told. */
class YamlFaultsTest {

    @TempDir
    Path folder;

    SettingsFiles files;

    @BeforeEach
    void start() {
        files = new SettingsFiles(folder);
    }

    @Test
    void everyFaultOfEveryLayerIsToldAtOnce() {
        Path base = files.write(
                "base.yaml",
                SettingsFiles.WHOLE.replace("layers: 2", "layers: none").replace("  steps: 10\n", ""));
        Path config = files.write("mine.yaml", "modell:\n  width: 4\ntrain:\n  microBatch: -1\n");
        files.faults(base, List.of(config), List.of("model.layer=12", "optimizer.learningRate=fast", "model.heads=3"))
                .containsExactly(
                        "base.yaml:5:11 model.layers: none, must be a whole number in plain digits; write digits alone, for example 12",
                        "mine.yaml:1:1 modell: no such setting; did you mean model?",
                        "mine.yaml:4:15 train.microBatch: -1, must be 1 to 1000000; give 1 or more",
                        "--set model.layer=12: no such setting; did you mean model.layers?",
                        "--set optimizer.learningRate=fast: fast, must be a plain decimal number; write digits alone, for example 0.1 or 1e-3",
                        "base.yaml:9:1 train.steps: missing, must be given; add steps: a whole number",
                        "--set model.heads=3: 3, model.heads (3) must divide model.width (8); give heads 2 or width 9");
    }

    @Test
    void aSingleFaultIsASingleLine() {
        assertThatThrownBy(() -> files.whole("train.batchTokens=0"))
                .hasMessage("--set train.batchTokens=0: 0, must be 1 to 1e9; give 1 or more");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "model.layers  | no     | no, must be a whole number in plain digits; write digits alone, for example 12",
                "model.layers  | 1e-3   | 1e-3, must be a whole number in plain digits; round it",
                "model.layers  | 1e3    | 1e3, must be a whole number in plain digits; write 1000",
                "model.layers  | 12.0   | 12.0, must be a whole number in plain digits; write 12",
                "model.layers  | 012    | 012, must be a whole number in plain digits; write it without leading zeros, which some read as octal",
                "model.layers  | 0o14   | 0o14, must be a whole number in plain digits; write 12",
                "model.layers  | 0x0C   | 0x0C, must be a whole number in plain digits; write 12",
                "train.steps   | 2_000  | 2_000, must be a whole number in plain digits; write 2000",
                "train.steps   | '2,000' | '\"2,000\", must be a whole number, not text in quotes; remove the quotes'",
                "train.steps   | 2k     | 2k, must be a whole number in plain digits; write digits alone, for example 12",
                "train.steps   | -5     | -5, must be 0 to 1e9; give 0 or more",
                "train.steps   | 99999999999999999999 | 99999999999999999999, must be 0 to 1e9; give a number in that range",
                "train.steps   | 1000000001 | 1000000001, must be 0 to 1e9; give 1e9 or less",
                "train.steps   | 1e999999999 | 1e999999999, must be a whole number in plain digits; round it",
                "seed          | 9223372036854775808 | 9223372036854775808, must be a number of 64 bits; give a number in that range",
                "model.dropout | .nan   | .nan, must be a finite number; give 0 to 0.99",
                "model.dropout | NaN    | NaN, must be a finite number; give 0 to 0.99",
                "model.dropout | -.inf  | -.inf, must be a finite number; give 0 to 0.99",
                "model.dropout | 1e999  | 1e999, is beyond what a double holds; give 0 to 0.99",
                "model.dropout | 1e-999 | 1e-999, is beyond what a double holds; give 0 to 0.99",
                "model.dropout | 0.991  | 0.991, must be 0 to 0.99; give 0.99 or less",
                "model.dropout | 10%    | 10%, must be a plain decimal number; write digits alone, for example 0.1 or 1e-3",
                "model.dropout | 00.1   | 00.1, must be a plain decimal number; write digits alone, for example 0.1 or 1e-3",
                "model.bias    | no     | no, must be true or false; write false",
                "model.bias    | True   | True, must be true or false; write true",
                "model.bias    | maybe  | maybe, must be true or false; write one of them",
                "model.bias    | ~      | ~, must be true or false; give a value or delete the line",
                "model.activation | gelu_err | gelu_err, must be one of gelu_erf, gelu_tanh, relu_squared; did you mean gelu_erf?",
                "model.activation | GELU_TANH | GELU_TANH, must be one of gelu_erf, gelu_tanh, relu_squared; did you mean gelu_tanh?",
                "model.activation | swish | swish, must be one of gelu_erf, gelu_tanh, relu_squared; choose one of them",
            })
    void aValueOfTheWrongTypeOrRange(String path, String value, String message) {
        String yaml = nested(path, value.startsWith("2,") ? '"' + value + '"' : value);
        files.faultsOfConfig(yaml)
                .singleElement()
                .asString()
                .startsWith("mine.yaml:")
                .endsWith(" " + path + ": " + message);
    }

    @ParameterizedTest
    @CsvSource({"name,123", "name,1e-3", "name,no", "name,true", "sample.prompt,0x1F", "description,.inf"})
    void textThatYamlReadersTakeForSomethingElseMustBeQuoted(String path, String value) {
        files.faultsOfConfig(nested(path, value))
                .singleElement()
                .asString()
                .endsWith(path + ": " + value + ", must be text, which YAML reads as something else; put it in quotes");
        assertThat(files.whole("name=\"x1\"").name()).isEqualTo("x1");
    }

    @Test
    void aSettingWithoutValue() {
        files.faultsOfConfig("description:\nmodel:\n  layers:\n")
                .containsExactly(
                        "mine.yaml:1:13 description: nothing, must be text; write '' for no text",
                        "mine.yaml:3:10 model.layers: nothing, must be a whole number; give a value or delete the line");
    }

    @Test
    void aSectionThatIsNoMapping() {
        files.faultsOfConfig("model: 12\ntrain: [1, 2]\nsample:\noptimizer: adamw\n")
                .containsExactly(
                        "mine.yaml:1:8 model: 12, must be a section; write model: {layers: …}",
                        "mine.yaml:2:8 train: a list, must be a section; write train: {steps: …}",
                        "mine.yaml:3:1 sample: nothing, must be a section; indent its settings below it or delete it",
                        "mine.yaml:4:12 optimizer: adamw, must be a section; write optimizer: {type: …}");
    }

    @Test
    void aSettingThatIsAListOrMapping() {
        files.faultsOfConfig("model:\n  layers: [2, 3]\n  heads: {a: 1}\n")
                .containsExactly(
                        "mine.yaml:2:11 model.layers: a list, must be a whole number; give a single value",
                        "mine.yaml:3:10 model.heads: a mapping, must be a whole number; give a single value");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "model: {layer: 2}           | model.layer          | did you mean model.layers?",
                "model: {sequence_length: 2} | model.sequence_length | did you mean model.sequenceLength?",
                "model: {hedas: 2}           | model.hedas          | did you mean model.heads?",
                "model: {learningRate: 2}    | model.learningRate   | did you mean optimizer.learningRate?",
                "layers: 2                   | layers               | did you mean model.layers?",
                "optimiser: {beta1: 0}       | optimiser            | did you mean optimizer?",
                "n_embd: 2                   | n_embd               | did you mean model.width?",
                "train: {max_iters: 2}       | train.max_iters      | did you mean train.steps?",
                "cost: {xyzzy: 2}            | cost.xyzzy           | cost has dollarsPerHour",
                "<<: {seed: 1}               | <<                   | the root has name, description, seed, device, dataset, model, weights, train, optimizer, schedule, evaluation, hellaSwag, sample, checkpoint, expectation, cost",
            })
    void anUnknownNameIsToldTheNearestRightOne(String yaml, String path, String remedy) {
        files.faultsOfConfig(yaml).singleElement().asString().endsWith(" " + path + ": no such setting; " + remedy);
    }

    @Test
    void aNameWithDotsInAFile() {
        files.faultsOfConfig("model.layers: 3\n")
                .containsExactly("mine.yaml:1:1 model.layers: a name with a dot is not a setting; nest it, section:"
                        + " {name: value}");
    }

    @Test
    void aNameGivenTwice() {
        files.faultsOfConfig("seed: 1\nmodel:\n  layers: 2\n  layers: 3\nseed: 2\nmodel: {}\n")
                .containsExactly(
                        "mine.yaml:4:3 model.layers: given already in line 3; keep one",
                        "mine.yaml:5:1 seed: given already in line 1; keep one",
                        "mine.yaml:6:1 model: given already in line 2; keep one");
    }

    @Test
    void whatMustBeGivenAndIsNot() {
        files.faultsOfFile("name: mine\ndataset: {}\nmodel:\n  layers: 2\n")
                .containsExactly(
                        "mine.yaml:2:1 dataset.url: missing, must be given; add url: text",
                        "mine.yaml:3:1 model.heads: missing, must be given; add heads: a whole number",
                        "mine.yaml:3:1 model.width: missing, must be given; add width: a whole number",
                        "mine.yaml:3:1 model.sequenceLength: missing, must be given; add sequenceLength: a whole number",
                        "mine.yaml train: missing, must be given; add the section with steps, batchTokens, microBatch",
                        "mine.yaml optimizer: missing, must be given; add the section with learningRate");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "seed: !!int 3                     | mine.yaml:1:7 seed: !<tag:yaml.org,2002:int>, tags are not taken; delete it",
                "model: !!map {layers: 3}          | mine.yaml:1:8 model: !<tag:yaml.org,2002:map>, tags are not taken; delete it",
                "seed: !!javax.script.ScriptEngineManager [] | mine.yaml:1:7 seed: !<tag:yaml.org,2002:javax.script.ScriptEngineManager>, tags are not taken; delete it",
                "name: ! x                         | mine.yaml:1:7 name: !<!>, tags are not taken; delete it",
                "seed: &a 3                        | mine.yaml:1:7 seed: &a, anchors are not taken; delete it",
                "seed: *a                          | mine.yaml:1:7 seed: *a, aliases are not taken; write the value out",
                "model: *a                         | mine.yaml:1:8 model: *a, aliases are not taken; write the value out",
                "? [a]                             | mine.yaml:1:3: a key must be a plain name; write name: value",
                "just text                         | mine.yaml:1:1: must be a mapping of settings; write for example model: {layers: 4}",
                "[1, 2]                            | mine.yaml:1:1: must be a mapping of settings; write for example model: {layers: 4}",
                "'%YAML 1.1\n--- {}'               | mine.yaml:1:1: a % directive, not taken here; delete it",
                "'%TAG ! tag:x,2000:\n--- {}'      | mine.yaml:1:1: a % directive, not taken here; delete it",
                "'seed: 1\n---\nseed: 2'           | mine.yaml:2:1: a second document, one is taken; put it into a file of its own",
                "'seed: 1\n\tmodel: 2'             | mine.yaml:2:1: not YAML, found character '\\t(TAB)' that cannot start any token while scanning for the next token; indent with spaces",
            })
    void partsOfYamlThatAreNotTaken(String yaml, String message) {
        files.faultsOfConfig(yaml).first().asString().isEqualTo(message);
    }

    @Test
    void textThatIsNotYaml() {
        files.faultsOfConfig("model: {layers: 2\ntrain: [")
                .singleElement()
                .asString()
                .matches("mine.yaml:\\d+:\\d+: not YAML, .*; look for a missing quote or bracket.*");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "  \n", "# only a comment\n", "\uFEFF"})
    void anEmptyFile(String yaml) {
        files.faultsOfConfig(yaml).hasSize(1).first().asString().matches("mine.yaml.*: (is empty|begins with).*; .*");
    }

    @Test
    void aDocumentWithoutContent() {
        files.faultsOfConfig("---\n")
                .containsExactly("mine.yaml:2:1: must be a mapping of settings; write for example model: {layers: 4}");
    }

    @Test
    void aByteOrderMark() {
        files.faultsOfConfig("\uFEFFseed: 1\n")
                .containsExactly("mine.yaml:1:1: begins with a byte-order mark; save it as UTF-8 without BOM");
        files.faultsOfConfig("seed: 1\n".getBytes(StandardCharsets.UTF_16))
                .containsExactly("mine.yaml: not UTF-8; save it as UTF-8");
    }

    @Test
    void charactersThatNoTextMayHold() {
        files.faultsOfConfig("seed: 1\0")
                .singleElement()
                .asString()
                .isEqualTo("mine.yaml: holds the character U+0000 at position 7, not allowed in YAML; delete it");
        files.faultsOfConfig("sample: {prompt: \"a\\0b\"}")
                .containsExactly("mine.yaml:1:18 sample.prompt: a\\u0000b, holds U+0000, which no text may; delete it");
        files.faultsOfConfig("sample: {prompt: \"\\ud800\"}")
                .containsExactly("mine.yaml:1:18 sample.prompt: \\ud800, holds U+D800, which no text may; delete it");
    }

    @Test
    void aDocumentOfThreeMegabytes() {
        byte[] big = "# comment\n".repeat(300_000).getBytes(StandardCharsets.UTF_8);
        files.faultsOfConfig(big)
                .containsExactly("mine.yaml: over 1 MiB, the most a settings file may have; is it the right file?");
    }

    @Test
    void anAnchorBombCostsNothing() {
        StringBuilder bomb = new StringBuilder("a0: &a0 lol\n");
        for (int i = 1; i < 40; i++) {
            bomb.append("a%d: &a%d [%s*a%d]\n".formatted(i, i, ("*a" + (i - 1) + ", ").repeat(8), i - 1));
        }
        assertTimeoutPreemptively(
                Duration.ofSeconds(10),
                () -> files.faultsOfConfig(bomb.toString()).first().asString().startsWith("mine.yaml:1:5 a0: &a0,"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"[", "{a: ", "- ", "? "})
    void deepNestingEndsEarly(String open) {
        assertTimeoutPreemptively(
                Duration.ofSeconds(10), () -> files.faultsOfConfig(open.repeat(1_000_000 / open.length()))
                        .singleElement()
                        .asString()
                        .matches("mine.yaml:1:\\d+: nested over 16 deep, settings nest two deep; flatten it"));
    }

    @Test
    void aFileFullOfFaultsTellsAHundred() {
        assertTimeoutPreemptively(Duration.ofSeconds(10), () -> files.faultsOfConfig(numbered(20_000))
                .hasSize(101)
                .last()
                .asString()
                .isEqualTo("mine.yaml: more faults follow, not read; mend these first"));
    }

    private static String numbered(int count) {
        StringBuilder yaml = new StringBuilder();
        for (int i = 0; i < count; i++) {
            yaml.append('k').append(i).append(": 1\n");
        }
        return yaml.toString();
    }

    @Test
    void aHugeNameOrValueIsToldShortAndOnOneLine() {
        String huge = "x".repeat(500_000);
        files.faultsOfConfig("? \"" + huge + "\"\n: 1\nseed: " + huge + "\n\"a\\nb\": 1\n")
                .allSatisfy(line -> assertThat(line).hasSizeLessThan(500).doesNotContain("\n"))
                .hasSize(3);
    }

    @Test
    void charactersOfTwoCharsMayStandAnywhere() {
        Path base = files.write("whole.yaml", SettingsFiles.WHOLE);
        for (int before = 1000; before < 1040; before++) {
            Path config = files.write("mine.yaml", "#" + "x".repeat(before) + "\ndescription: 😀\n");
            RunSpec spec = SpecLoader.load(base.toString(), List.of(config), List.of());
            assertThat(spec.description()).as("after %d", before).isEqualTo("😀");
        }
    }

    @Test
    void aNameThatWouldLeaveItsFolder() {
        files.faultsOfConfig("name: ../../etc/cron\n")
                .containsExactly(
                        "mine.yaml:1:7 name: \"../../etc/cron\", must be 1 to 63 letters, digits and dashes, not a"
                                + " dash first; rename it");
    }

    @Test
    void filesThatCannotBeRead() throws Exception {
        Path base = files.write("whole.yaml", SettingsFiles.WHOLE);
        Path dir = Files.createDirectory(folder.resolve("dir"));
        files.faults(base, List.of(folder.resolve("none.yaml"), dir), List.of())
                .containsExactly(
                        "none.yaml: no such file; give the path of a YAML file", "dir: not a file; give a YAML file");
        assertThatThrownBy(() -> SpecLoader.read(folder.resolve("none.yaml")))
                .isInstanceOf(SpecException.class)
                .hasMessageEndingWith("none.yaml: no such file; give the path of a YAML file");
    }

    private static String nested(String path, String value) {
        int dot = path.indexOf('.');
        return dot < 0
                ? path + ": " + value + "\n"
                : path.substring(0, dot) + ":\n  " + path.substring(dot + 1) + ": " + value + "\n";
    }
}
