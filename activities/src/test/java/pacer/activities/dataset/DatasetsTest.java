package pacer.activities.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.BadInputException;
import pacer.activities.run.Home;
import pacer.activities.run.Progress;
import pacer.activities.run.RunHub;
import pacer.activities.run.RunPlan;
import pacer.activities.run.StageContext;
import pacer.activities.run.StageLog;
import pacer.activities.run.StoppedException;
import pacer.activities.run.TestRuns;
import pacer.activities.run.TestStage;
import pacer.trainer.data.Split;
import pacer.trainer.durable.Sha256;
import pacer.trainer.spec.DatasetSpec;
import pacer.trainer.text.DatasetManifest;

class DatasetsTest {
    @TempDir
    private Path folder;

    private final TestStage stage = new TestStage();
    private Home home;
    private Datasets datasets;
    private Path text;

    @BeforeEach
    void prepare() throws IOException {
        home = TestRuns.home(folder);
        StageLog log = new StageLog(home, new RunHub(), Clock.systemUTC());
        datasets = new Datasets(home, log, Clock.systemUTC(), FetchSettings.of(Map.of()), 5000, Optional.empty());
        text = TestRuns.text(folder.resolve("text.txt"), 20);
    }

    private DatasetSpec spec(String sha256, double validation) {
        return new DatasetSpec(
                "file:" + text, sha256, DatasetSpec.Format.TEXT, DatasetSpec.Tokenizer.CHARACTERS, validation);
    }

    private DatasetResult prepare(DatasetSpec spec) throws IOException, InterruptedException {
        return datasets.prepare(new DatasetRequest(null, spec), stage);
    }

    private Path folder(DatasetResult result) {
        return home.datasets().resolve(result.hash());
    }

    @Test
    void makesShardsAndTheirManifest() throws Exception {
        DatasetResult result = prepare(spec("", 0.1));

        DatasetManifest manifest = DatasetManifest.read(folder(result));
        assertThat(manifest.sha256()).isEqualTo(Sha256.of(text, n -> {}));
        assertThat(manifest.characters()).hasSize(result.vocabulary()).contains("\n", "L", "0");
        assertThat(result.trainTokens() + result.validationTokens()).isEqualTo(Files.size(text));
        assertThat(manifest.shards())
                .hasSize(result.shards())
                .hasSizeGreaterThan(2)
                .allSatisfy(shard -> {
                    Path file = folder(result).resolve(shard.name());
                    assertThat(file).hasSize(shard.bytes());
                    assertThat(Sha256.of(file, n -> {})).isEqualTo(shard.sha256());
                });
        assertThat(manifest.tokens(Split.VALIDATION)).isEqualTo(result.validationTokens());
        assertThat(result.reused()).isFalse();
    }

    @Test
    void aPromptThatTheVocabularyLacksIsRefusedBeforeAnythingIsStaged() throws Exception {
        RunPlan plan = TestRuns.open(home, new RunHub(), text, "sample.prompt", "Line ä");

        assertThatThrownBy(() -> datasets.prepare(new DatasetRequest(plan.run(), plan.dataset()), stage))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("sample.prompt: \"Line ä\"")
                .hasMessageContaining("U+00E4 'ä', is not among the")
                .hasMessageEndingWith("leave it out");
    }

    @Test
    void aPromptThatIsNeverUsedMayBeAnything() throws Exception {
        RunPlan plan = TestRuns.open(
                home, new RunHub(), text, "sample.prompt", "Line ä", "sample.count", 0, "sample.everySteps", 0);

        assertThat(datasets.prepare(new DatasetRequest(plan.run(), plan.dataset()), stage)
                        .vocabulary())
                .isPositive();
    }

    @Test
    void aDatasetThatIsThereIsTakenAsItIs() throws Exception {
        DatasetResult first = prepare(spec("", 0.1));
        Path manifest = folder(first).resolve("manifest.json");
        Object before = Files.readAttributes(manifest, "lastModifiedTime,fileKey");

        DatasetResult second = prepare(spec("", 0.1));

        assertThat(second.reused()).isTrue();
        assertThat(second.hash()).isEqualTo(first.hash());
        assertThat(Files.readAttributes(manifest, "lastModifiedTime,fileKey")).isEqualTo(before);
    }

    @Test
    void aLocalFileIsOpenedAlsoWhereThePinnedDatasetIsThere() throws Exception {
        String sha256 = Sha256.of(text, n -> {});
        assertThat(prepare(spec(sha256, 0.1)).reused()).isFalse();
        assertThat(prepare(spec(sha256, 0.1)).reused()).isTrue();

        Files.writeString(text, "a text of the user's own\n".repeat(100));

        assertThatThrownBy(() -> prepare(spec(sha256, 0.1)))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("has SHA-256 " + Sha256.of(text, n -> {}) + ", expected " + sha256)
                .hasMessageEndingWith("the preset pins its text: for another one give --set dataset.sha256= too");
    }

    @Test
    void whateverChangesTheBytesChangesTheHash() throws Exception {
        DatasetResult first = prepare(spec("", 0.1));

        assertThat(prepare(spec("", 0.2)).hash()).isNotEqualTo(first.hash());
        Files.writeString(text, Files.readString(text) + "One more line.\n");
        DatasetResult longer = prepare(spec("", 0.1));
        assertThat(longer.hash()).isNotEqualTo(first.hash());
        assertThat(longer.reused()).isFalse();
    }

    @Test
    void aDamagedShardIsNoticedAndTheDatasetMadeAgain() throws Exception {
        DatasetResult first = prepare(spec("", 0.1));
        Path shard = folder(first).resolve("train-000001.bin");
        byte[] whole = Files.readAllBytes(shard);
        byte[] flipped = whole.clone();
        flipped[2000] ^= 1;
        Files.write(shard, flipped);

        DatasetResult second = prepare(spec("", 0.1));

        assertThat(second.reused()).isFalse();
        assertThat(shard).hasBinaryContent(whole);
        assertThat(stage.notices).singleElement().asString().startsWith(shard + " damaged");
    }

    @Test
    void aDamagedManifestIsNoticedAndTheDatasetMadeAgain() throws Exception {
        Path manifest = folder(prepare(spec("", 0.1))).resolve("manifest.json");
        Files.writeString(manifest, "{ \"source\"");

        assertThat(prepare(spec("", 0.1)).reused()).isFalse();
        assertThat(stage.notices).singleElement().asString().startsWith(manifest + ": no dataset manifest");
    }

    @Test
    void whatAKilledProcessLeftIsNoDataset() throws Exception {
        DatasetResult first = prepare(spec("", 0.1));
        Files.delete(folder(first).resolve("manifest.json"));
        Files.writeString(folder(first).resolve("train-000099.bin"), "left over");

        assertThat(prepare(spec("", 0.1)).reused()).isFalse();
        try (Stream<Path> files = Files.list(folder(first))) {
            assertThat(files.map(f -> f.getFileName().toString()))
                    .hasSize(first.shards() + 1)
                    .doesNotContain("train-000099.bin");
        }
    }

    @Test
    void anotherRawFileThanThePinnedOneIsRefused() {
        String other = "0".repeat(64);
        assertThatThrownBy(() -> prepare(spec(other, 0.1)))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("dataset.sha256")
                .hasMessageContaining("expected " + other);
    }

    @Test
    void aMissingFileIsNamed() {
        text = folder.resolve("nowhere.txt");
        assertThatThrownBy(() -> prepare(spec("", 0.1)))
                .isInstanceOf(BadInputException.class)
                .hasMessage("dataset.url: " + text + " does not exist; give the path of a text");
    }

    @Test
    void aTextThatIsNoneIsRefusedAndLeavesNoDataset() throws Exception {
        Files.write(text, new byte[] {'a', (byte) 0xff, 'b'});

        assertThatThrownBy(() -> prepare(spec("", 0.1)))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("text.txt");
        try (Stream<Path> all = Files.walk(home.datasets())) {
            assertThat(all.map(p -> p.getFileName().toString())).doesNotContain("manifest.json", "train-000000.bin");
        }
    }

    @Test
    void aFileThatChangesWhileItIsReadMakesNoDataset() throws Exception {
        List<String> told = new ArrayList<>();
        StageContext changing = new StageContext() {
            @Override
            public void progress(Progress progress) {
                if (told.isEmpty() && progress.text().equals("making tokens")) {
                    told.add(progress.text());
                    append();
                }
            }

            @Override
            public void notice(String text) {
                told.add(text);
            }

            @Override
            public Stop stop() {
                return Stop.NONE;
            }
        };
        assertThatThrownBy(() -> datasets.prepare(new DatasetRequest(null, spec("", 0.1)), changing))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith(text + ": the file changed while it was read");

        DatasetResult later = prepare(spec("", 0.1));
        assertThat(later.reused()).isFalse();
        assertThat(DatasetManifest.read(folder(later)).sha256()).isEqualTo(Sha256.of(text, n -> {}));
    }

    private void append() {
        try {
            Files.writeString(text, "One more line.\n", StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void stopsWhenAsked() {
        stage.stop = StageContext.Stop.REQUESTED;
        assertThatThrownBy(() -> prepare(spec("", 0.1))).isInstanceOf(StoppedException.class);
    }

    @Test
    void theTextOfTheQuickstartComesFromTheClassPath() throws Exception {
        DatasetResult result = prepare(new DatasetSpec(
                "maven:org.apache.crunch:crunch-test:0.15.0!/dickens.txt",
                "70b924ea4d22d24d8650660ddddd29fc5c07eafc5803a904e6d1184f50ac4ed7",
                DatasetSpec.Format.TEXT,
                DatasetSpec.Tokenizer.CHARACTERS,
                0.1));

        assertThat(result.vocabulary()).isEqualTo(78);
        assertThat(result.rawBytes()).isEqualTo(1_214_979);
        assertThat(home.downloads().resolve(result.rawSha256())).hasSize(1_214_979);
        assertThat(home.downloads().toFile().list()).allMatch(name -> name.startsWith(result.rawSha256()));
        assertThat(home.downloads().resolve(result.rawSha256() + ".datasets")).isEmptyDirectory();
    }
}
