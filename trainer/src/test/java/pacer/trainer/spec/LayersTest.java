package pacer.trainer.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import pacer.trainer.ops.Operations.Activation;

class LayersTest {

    @TempDir
    Path folder;

    SettingsFiles files;

    @BeforeEach
    void start() {
        files = new SettingsFiles(folder);
    }

    @Test
    void laterLayersStandAndLeaveTheRest() {
        Path base = files.write("base.yaml", SettingsFiles.WHOLE);
        Path one = files.write("one.yaml", "seed: 1\nmodel:\n  layers: 3\n  dropout: 0.1\n");
        Path two = files.write("two.yaml", "model: {layers: 4}\n");
        RunSpec spec = SpecLoader.load(
                base.toString(), List.of(one, two), List.of("model.width=16", "train.steps=7", "train.steps=8"));
        assertThat(spec.seed()).isEqualTo(1);
        assertThat(spec.model().layers()).isEqualTo(4);
        assertThat(spec.model().dropout()).isEqualTo(0.1);
        assertThat(spec.model().width()).isEqualTo(16);
        assertThat(spec.model().heads()).isEqualTo(2);
        assertThat(spec.train().steps()).isEqualTo(8);
    }

    @Test
    void whatNoLayerGivesHasItsStandard() {
        RunSpec spec = files.whole();
        assertThat(spec.seed()).isEqualTo(1337);
        assertThat(spec.description()).isEmpty();
        assertThat(spec.model().activation()).isEqualTo(Activation.GELU_ERF);
        assertThat(spec.model().normEpsilon()).isEqualTo(1e-5);
        assertThat(spec.sample().prompt()).isEqualTo("\n");
        assertThat(spec.schedule()).isEqualTo(new ScheduleSpec(ScheduleSpec.Type.COSINE, 0, 0, 0.1, 0.4, 0));
    }

    @Test
    void anEmptyConfigSectionChangesNothing() {
        Path base = files.write("base.yaml", SettingsFiles.WHOLE);
        Path config = files.write("config.yaml", "model: {}\n");
        assertThat(SpecLoader.load(base.toString(), List.of(config), List.of())).isEqualTo(files.whole());
    }

    @Test
    void overridesTakeYamlAndTextAsItStands() {
        RunSpec spec = files.whole(
                "optimizer.learningRate=3e-4",
                "model={heads: 4, bias: false}",
                "model.activation=gelu_tanh",
                "dataset.url=file:/data/a b #1.txt",
                "sample.prompt=ROMEO:",
                "description=no",
                "seed=-3");
        assertThat(spec.optimizer().learningRate()).isEqualTo(3e-4);
        assertThat(spec.model().heads()).isEqualTo(4);
        assertThat(spec.model().bias()).isFalse();
        assertThat(spec.model().activation()).isEqualTo(Activation.GELU_TANH);
        assertThat(spec.dataset().url()).isEqualTo("file:/data/a b #1.txt");
        assertThat(spec.sample().prompt()).isEqualTo("ROMEO:");
        assertThat(spec.description()).isEqualTo("no");
        assertThat(spec.seed()).isEqualTo(-3);
        assertThat(files.whole("sample.prompt=\"a\\nb\"").sample().prompt()).isEqualTo("a\nb");
        assertThat(files.whole("description=").description()).isEmpty();
        assertThat(files.whole("sample.prompt=a=b").sample().prompt()).isEqualTo("a=b");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "model.layer=12            | --set model.layer=12: no such setting; did you mean model.layers?",
                "modle.layers=12           | --set modle.layers=12: no such setting; did you mean model.layers?",
                "layers=12                 | --set layers=12: no such setting; did you mean model.layers?",
                "train.lr=1                | --set train.lr=1: no such setting; did you mean optimizer.learningRate?",
                "zzz.yyy=1                 | --set zzz.yyy=1: no such setting; sections are dataset, model, weights, train, optimizer, schedule, evaluation, hellaSwag, sample, checkpoint, expectation, cost",
                "model.layers              | --set model.layers: must be path=value; write for example --set train.steps=100",
                "=12                       | --set =12: must be path=value; write for example --set train.steps=100",
                "model.layers=             | --set model.layers=: nothing, must be a whole number; give a value or delete the line",
                "model.layers=twelve       | --set model.layers=twelve: twelve, must be a whole number in plain digits; write digits alone, for example 12",
                "model.layers=\"12\"       | --set model.layers=\"12\": \"12\", must be a whole number, not text in quotes; remove the quotes",
                "model=12                  | --set model=12: 12, must be a section; write model: {layers: …}",
                "model={layer: 12}         | --set model={layer: 12} model.layer: no such setting; did you mean model.layers?",
                "model={layers: 1, layers: 2} | --set model={layers: 1, layers: 2} model.layers: given already before; keep one",
                "seed=!!int 3              | --set seed=!!int 3: !<tag:yaml.org,2002:int>, tags are not taken; delete it",
            })
    void faultsOfOverridesNameTheOverride(String set, String line) {
        files.faultsOfSets(set).containsExactly(line);
    }

    @Test
    void anOverrideThatIsNotYaml() {
        files.faultsOfSets("model={layers: 2")
                .singleElement()
                .asString()
                .startsWith("--set model={layers: 2: not YAML, ");
    }

    @Test
    void aFaultyValueIsToldEvenWhereALaterLayerOverridesIt() {
        Path base = files.write("base.yaml", SettingsFiles.WHOLE.replace("layers: 2", "layers: x"));
        files.faults(base, List.of(), List.of("model.layers=2"))
                .singleElement()
                .asString()
                .startsWith("base.yaml:5:11 model.layers: x,");
    }

    @Test
    void presetsAreFoundByName() {
        assertThat(SpecLoader.load("quickstart", List.of(), List.of("train.steps=5")))
                .extracting(RunSpec::name, spec -> spec.train().steps())
                .containsExactly("quickstart", 5);
        assertThatThrownBy(() -> SpecLoader.load("quikstart", List.of(), List.of()))
                .hasMessage("preset quikstart: no such preset; did you mean quickstart? presets are quickstart,"
                        + " shakespeare-char-cpu, shakespeare-char, speedrun-01 to speedrun-18, scaleup-1b, llmc-124m, llmc-350m, llmc-774m, llmc-1558m,"
                        + " openwebtext-124m, finetune-shakespeare-small, finetune-shakespeare, eval-gpt2, eval-gpt2-medium,"
                        + " eval-gpt2-large, eval-gpt2-xl; for a file of your own give its path, ./mine.yaml");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a\0b", "no/such.yaml", "presets/quickstart.yaml", "../../etc/passwd"})
    void aPathThatIsNoFileIsNoPreset(String preset) {
        assertThatThrownBy(() -> SpecLoader.load(preset, List.of(), List.of())).isInstanceOf(SpecException.class);
    }
}
