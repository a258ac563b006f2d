package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.record.RecordPlan;
import pacer.activities.record.RecordResult;
import pacer.activities.record.RecordRun;
import pacer.activities.run.Home;
import pacer.activities.run.RecordRequest;
import pacer.activities.run.RunJson;
import pacer.activities.run.RunUpdate;
import pacer.activities.run.TestRuns;
import pacer.trainer.durable.Sha256;

/** Attempts on the service inside this process, their runs on trainers that only keep to the protocol: seeds give 1.233 and more. */
@Timeout(180)
class RecordAttemptTest {
    @TempDir
    private Path folder;

    private Home home;
    private final List<String> told = new ArrayList<>();

    @BeforeEach
    void prepare() {
        home = TestRuns.home(folder);
    }

    private Outcome<RecordResult> attempt(int runs, double target, List<Integer> looks, String... properties)
            throws IOException, InterruptedException {
        SpecLayers layers = TestPipelines.layers(TestRuns.text(folder.resolve("text.txt"), 20));
        RecordRequest request = RecordRequest.of(layers.trial("a test", null), runs, target, looks, null, 10L);
        try (TemporalConnection connection = TemporalConnection.open(TemporalAddress.embedded());
                Pipeline pipeline = Pipeline.with(
                        home,
                        connection,
                        TestPipelines.settings(home, properties),
                        EnumSet.allOf(ServiceWorker.Role.class))) {
            RecordHandle attempt = pipeline.attempt(request, layers.spec());
            Outcome<RecordResult> outcome = attempt.follow(new Listener());
            SaveHistories.keep("record-of-" + runs, connection, attempt.id());
            return outcome;
        }
    }

    private final class Listener implements RecordHandle.Listener {
        @Override
        public void settled(RecordPlan plan) {
            told.add("settled");
        }

        @Override
        public void began(String run) {
            told.add("began " + run.substring(run.lastIndexOf('-') + 1));
        }

        @Override
        public void advanced(RunUpdate update) {}

        @Override
        public void finished(RecordRun run) {
            told.add("finished " + run.seed());
        }
    }

    @Test
    void aRecordIsToldWithItsProof() throws Exception {
        RecordResult result = attempt(3, 1.5, List.of(), "scatter=0.001").result();

        assertThat(result.record()).as(result.text()).isTrue();
        assertThat(result.runs()).extracting(RecordRun::seed).containsExactly(10L, 11L, 12L);
        assertThat(result.significance().mean()).isBetween(1.2343, 1.2344);
        assertThat(told).startsWith("settled").contains("finished 10", "finished 11", "finished 12");
        Path written = home.runs().resolve(result.plan().id());
        RecordResult read =
                RunJson.MAPPER.readValue(Files.readString(written.resolve("record.json")), RecordResult.class);
        assertThat(read).isEqualTo(result);
        assertThat(Files.readString(written.resolve("record.md")))
                .contains("**" + result.text() + "**")
                .contains("Settled before the first run: 3 runs, seeds 10 to 12");
        for (RecordRun run : result.runs()) {
            Path log = written.resolve("logs").resolve(run.run() + ".jsonl");
            assertThat(Sha256.of(log, _ -> {})).isEqualTo(run.log());
            assertThat(Files.readString(home.run(run.run()).preset())).contains("seed: " + run.seed());
        }
    }

    @Test
    void anEarlierLookEndsItWhereItIsARecordAlready() throws Exception {
        RecordResult result = attempt(4, 1.5, List.of(2, 4), "scatter=0.001").result();

        assertThat(result.record()).isTrue();
        assertThat(result.runs()).hasSize(2);
        assertThat(result.significance().level()).isEqualTo(0.005);
    }

    @Test
    void aMeanAboveTheTargetIsNone() throws Exception {
        RecordResult result = attempt(2, 1.2, List.of(), "scatter=0.001").result();

        assertThat(result.record()).isFalse();
        assertThat(result.text()).contains("no record at p = ");
    }

    @Test
    void aRunThatFailsLeavesNoVerdict() throws Exception {
        RecordResult result = attempt(2, 1.5, List.of(), "refuse=true").result();

        assertThat(result.record()).isNull();
        assertThat(result.text())
                .contains("no verdict: run ")
                .contains("seed 10, failed: ")
                .endsWith("after 0 of 2 runs");
    }

    @Test
    void whatCannotBeMeantIsRefused() throws Exception {
        Outcome<RecordResult> outcome = attempt(1, 1.5, List.of());

        assertThat(outcome.result()).isNull();
        assertThat(outcome.refused()).isTrue();
        assertThat(outcome.reason()).contains("runs: 1, must be from 2 to 1000");
    }
}
