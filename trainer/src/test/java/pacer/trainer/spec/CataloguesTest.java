package pacer.trainer.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;

class CataloguesTest {
    static final List<String> NAMES = Catalogues.NAMES;

    private static final String READY = "dataset.url=catalogue:";

    @ParameterizedTest
    @FieldSource("NAMES")
    void eachIsWholeAndConsistent(String name) {
        Catalogue catalogue = Catalogues.find(name).orElseThrow();
        assertThat(catalogue.name()).isEqualTo(name);
        assertThat(catalogue.homes()).allMatch(home -> home.matches("https://[^ ]+/"));
        List<Catalogue.File> files = catalogue.files(0);
        assertThat(files)
                .extracting(Catalogue.File::name)
                .doesNotHaveDuplicates()
                .allMatch(f -> f.endsWith(".bin"));
        assertThat(files).filteredOn(Catalogue.File::validation).containsExactly(files.getLast());
        assertThat(files)
                .extracting(Catalogue.File::name)
                .containsAll(catalogue.known().keySet());
        assertThat(catalogue.known().values()).allMatch(digest -> digest.matches("[0-9a-f]{64}"));
    }

    @Test
    void everyCatalogueThatThereIsHasItsName() throws Exception {
        Path folder = Path.of(Catalogues.class.getResource("/catalogues").toURI());
        try (var files = Files.list(folder)) {
            assertThat(files.map(f -> f.getFileName().toString()).filter(f -> f.endsWith(".yaml")))
                    .containsExactlyInAnyOrderElementsOf(
                            NAMES.stream().map(name -> name + ".yaml").toList());
        }
    }

    @Test
    void finewebsFilesAreThoseOfItsHome() {
        List<Catalogue.File> files = Catalogues.find("fineweb10B").orElseThrow().files(9);
        assertThat(files).hasSize(10);
        assertThat(files.getFirst().name()).isEqualTo("fineweb_train_000001.bin");
        assertThat(files.getFirst().sha256()).isPresent();
        assertThat(files.get(8))
                .isEqualTo(new Catalogue.File("fineweb_train_000009.bin", false, 100_000_000, Optional.empty()));
        assertThat(files.getLast().name()).isEqualTo("fineweb_val_000000.bin");
        assertThat(Catalogues.find("openwebtext").orElseThrow().files(0))
                .extracting(Catalogue.File::tokens)
                .containsExactly(9_035_582_198L, 4_434_897L);
    }

    @Test
    void datasetsOfOtherShardsDifferAndHomesDoNotCount() {
        Catalogue fineweb = Catalogues.find("fineweb10B").orElseThrow();
        assertThat(fineweb.identity(9)).isNotEqualTo(fineweb.identity(10));
        assertThat(fineweb.identity(0)).isEqualTo(fineweb.identity(103));
        Catalogue owt = Catalogues.find("openwebtext").orElseThrow();
        assertThat(owt.identity(9)).isNotEqualTo(owt.identity(10));
    }

    @Test
    void aCatalogueIsReadAsStrictlyAsSettings() {
        byte[] yaml = "name: x\ntrainshards: 3\n".getBytes(StandardCharsets.UTF_8);
        assertThatThrownBy(() -> Catalogues.facts(yaml, "x.yaml"))
                .isInstanceOf(SpecException.class)
                .hasMessageContaining("x.yaml:2:1 trainshards: no such setting; did you mean trainShards?");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "fineweb10b | | no such catalogue; did you mean fineweb10B?",
                "fineweb10B | dataset.shards=104 | catalogue fineweb10B has 103 training shards; give 1 to 103, or 0 for all",
                "fineweb10B | dataset.tokenizer=characters | must be the one that made the shards of catalogue fineweb10B; give dataset.tokenizer gpt2",
                "fineweb10B | dataset.mirrors=http://x.org/a | must be folders, divided by spaces",
                "openwebtext | | no public home of catalogue openwebtext is known; give dataset.mirrors",
            })
    void whatDoesNotFitACatalogueIsTold(String name, String set, String fault) {
        List<String> sets = set == null
                ? List.of(READY + name, "dataset.sha256=", "dataset.tokenizer=gpt2")
                : List.of(READY + name, "dataset.sha256=", "dataset.tokenizer=gpt2", set);
        assertThatThrownBy(() -> SpecLoader.load("quickstart", List.of(), sets))
                .isInstanceOf(SpecException.class)
                .hasMessageContaining(fault);
    }

    @Test
    void allThatDoesNotFitIsToldAtOnce() {
        assertThatThrownBy(() -> SpecLoader.load("quickstart", List.of(), List.of(READY + "fineweb10B")))
                .hasMessageContaining("have digests of their own")
                .hasMessageContaining("must be the one that made the shards");
        assertThatThrownBy(() ->
                        SpecLoader.load("quickstart", List.of(), List.of("dataset.shards=2", "dataset.mirrors=file:x")))
                .hasMessageContaining("dataset.shards=2: 2, counts shards of a catalogue")
                .hasMessageContaining("dataset.mirrors=file:x: \"file:x\", are of a catalogue or of an https file");
    }

    @Test
    void anHttpsFileHasMirrorsToo() {
        List<String> https = List.of("dataset.url=https://home.org/a/text.txt", "dataset.sha256=" + "a".repeat(64));
        List<String> mirrored = Stream.concat(
                        https.stream(), Stream.of("dataset.mirrors=https://m.org/copy https://n.org/b/"))
                .toList();
        DatasetSpec dataset = SpecLoader.load("quickstart", List.of(), mirrored).dataset();
        assertThat(dataset.mirrorFiles()).containsExactly("https://m.org/copy", "https://n.org/b/text.txt");
        assertThat(SpecHash.of(SpecLoader.load("quickstart", List.of(), mirrored)))
                .isEqualTo(SpecHash.of(SpecLoader.load("quickstart", List.of(), https)));
        for (String wrong : List.of("http://m.org/copy", "file:copy", "https://me:secret@m.org/copy")) {
            List<String> sets = Stream.concat(https.stream(), Stream.of("dataset.mirrors=" + wrong))
                    .toList();
            assertThatThrownBy(() -> SpecLoader.load("quickstart", List.of(), sets))
                    .isInstanceOf(SpecException.class)
                    .hasMessageContaining("dataset.mirrors");
        }
    }

    @Test
    void anEarlierSpecsHashStands() {
        List<String> sets = List.of(READY + "fineweb10B", "dataset.sha256=", "dataset.tokenizer=gpt2");
        RunSpec all = SpecLoader.load("quickstart", List.of(), sets);
        assertThat(SpecHash.of(all.withDataset(all.dataset().withMirrors("file:x"))))
                .isEqualTo(SpecHash.of(all));
        assertThat(SpecHash.of(SpecLoader.load("quickstart", List.of(), List.of("train.precision=fp32"))))
                .isEqualTo(QUICKSTART);
    }

    @Test
    void aDatasetOfAWorkflowBegunBeforeCataloguesIsRead() throws Exception {
        DatasetSpec text = new DatasetSpec("file:a.txt", "", DatasetSpec.Format.TEXT, DatasetSpec.Tokenizer.GPT2, 0.1);
        ObjectMapper json = new ObjectMapper();
        String before =
                "{\"url\":\"file:a.txt\",\"sha256\":\"\",\"format\":\"TEXT\",\"tokenizer\":\"GPT2\",\"validationFraction\":0.1}";
        assertThat(json.readValue(before, DatasetSpec.class)).isEqualTo(text);
        assertThat(json.readValue(json.writeValueAsString(text), DatasetSpec.class))
                .isEqualTo(text);
    }

    /** Of the quickstart preset before there were catalogues. */
    private static final String QUICKSTART = "498b4e66c40dd7bbb44760a2627fd9fc8ddbfc3971ad11e8957d4a5ac7b6d289";
}
