package pacer.activities.staging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.dataset.DatasetRequest;
import pacer.activities.dataset.Datasets;
import pacer.activities.dataset.FetchSettings;
import pacer.activities.run.DamagedDataException;
import pacer.activities.run.Home;
import pacer.activities.run.RunHub;
import pacer.activities.run.RunPlan;
import pacer.activities.run.Stage;
import pacer.activities.run.StageLog;
import pacer.activities.run.TestRuns;
import pacer.activities.run.TestStage;
import pacer.trainer.data.Split;
import pacer.trainer.data.TokenShards;
import pacer.trainer.text.DatasetManifest;
import pacer.trainer.text.Tokenization.Shard;

class StagingTest {
    @TempDir
    private Path folder;

    private final TestStage stage = new TestStage();
    private Home home;
    private StageLog log;
    private Staging staging;
    private RunPlan plan;
    private String dataset;

    @BeforeEach
    void prepare() throws IOException, InterruptedException {
        home = TestRuns.home(folder);
        RunHub hub = new RunHub();
        log = new StageLog(home, hub, Clock.systemUTC());
        plan = TestRuns.open(home, hub, TestRuns.text(folder.resolve("text.txt"), 5));
        prepareDataset();
        staging = new Staging(home, log, Clock.systemUTC());
    }

    private void prepareDataset() throws IOException, InterruptedException {
        dataset = new Datasets(home, log, Clock.systemUTC(), FetchSettings.of(Map.of()))
                .prepare(new DatasetRequest(plan.run(), plan.dataset()), stage)
                .hash();
    }

    private StagingResult stage() throws IOException, InterruptedException {
        return staging.stage(new StagingRequest(plan.run(), dataset), stage);
    }

    private Path folder() {
        return Staging.folder(home, dataset);
    }

    private Shard train() throws IOException {
        return DatasetManifest.read(folder()).shards().getFirst();
    }

    private Path staged() throws IOException {
        return home.staged().resolve(train().sha256() + ".bin");
    }

    @Test
    void shardsLieUnderTheirDigestsAndUnderTheirNames() throws Exception {
        StagingResult result = stage();

        assertThat(result).isEqualTo(new StagingResult(dataset, 2, result.bytes(), 0, 2, 0, 0));
        assertThat(staged()).hasSize(train().bytes());
        assertThat(folder().resolve(train().name())).hasSameBinaryContentAs(staged());
        try (TokenShards shards = TokenShards.inFolder(folder(), Split.TRAIN, 256)) {
            assertThat(shards.tokens()).isEqualTo(train().tokens());
        }
    }

    @Test
    void whatIsThereIsNotFetchedAgain() throws Exception {
        stage();
        Object before = Files.readAttributes(staged(), "fileKey,lastModifiedTime");

        StagingResult second = stage();

        assertThat(second.reused()).isTrue();
        assertThat(second.hits()).isEqualTo(2);
        assertThat(Files.readAttributes(staged(), "fileKey,lastModifiedTime")).isEqualTo(before);
    }

    @Test
    void aDamagedShardIsFetchedAgainAndSaid() throws Exception {
        stage();
        byte[] whole = Files.readAllBytes(staged());
        byte[] flipped = whole.clone();
        flipped[flipped.length - 1] ^= 1;
        Files.delete(staged()); // a copy of its own, as on another disk
        Files.write(staged(), flipped);

        StagingResult second = stage();

        assertThat(second.mended()).isEqualTo(1);
        assertThat(second.fetched()).isEqualTo(1);
        assertThat(staged()).hasBinaryContent(whole);
        assertThat(stage.notices).containsExactly(staged() + " was damaged; it is fetched again");
    }

    @Test
    void aDatasetWithADamagedShardIsNoDatasetAnyMoreAndIsMadeAnew() throws Exception {
        stage();
        Path source = home.datasets().resolve(dataset).resolve(train().name());
        byte[] flipped = Files.readAllBytes(source);
        flipped[1030] ^= 1;
        Files.write(source, flipped); // both names are of one file

        assertThatThrownBy(this::stage)
                .isInstanceOfSatisfying(DamagedDataException.class, e -> assertThat(e.mendedBy())
                        .isEqualTo(Stage.DATASET))
                .hasMessageContaining("a shard is damaged; the run, or resuming it");

        prepareDataset();
        assertThat(stage().files()).isEqualTo(2);
    }

    @Test
    void namesThatAreNotOfTheDatasetGo() throws Exception {
        stage();
        Files.writeString(folder().resolve("train-000009.bin"), "left over");
        stage();
        try (Stream<Path> files = Files.list(folder())) {
            assertThat(files.map(f -> f.getFileName().toString()))
                    .containsExactlyInAnyOrderElementsOf(
                            List.of("manifest.json", "train-000000.bin", "val-000000.bin"));
        }
    }
}
