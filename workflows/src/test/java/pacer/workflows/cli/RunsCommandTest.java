package pacer.workflows.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunJson;
import pacer.activities.run.RunLease;
import pacer.activities.run.RunRecord;
import pacer.activities.run.RunStatus;
import pacer.activities.run.Stage;
import pacer.activities.run.StageRecord;
import pacer.activities.run.TestRuns;

/** How runs that are not over are listed. */
class RunsCommandTest {
    private static final Instant BEGUN = Instant.parse("2026-11-24T01:00:00Z");

    @TempDir
    private Path runs;

    /** A run in its training, on which two minutes were worked when its record was written, five seconds ago. */
    private RunFolder training(StageRecord.Status status, String summary, Instant ended) throws IOException {
        RunFolder folder = new RunFolder(Files.createDirectories(runs.resolve("tiny-1")));
        StageRecord train = new StageRecord(Stage.TRAIN, status, "key", BEGUN, ended, 120, 2, false, summary, null);
        RunRecord record = new RunRecord(
                "tiny-1",
                "tiny",
                "hash",
                null,
                RunStatus.RUNNING,
                BEGUN,
                null,
                "tiny-1-workflow",
                TestRuns.MACHINE,
                List.of(train),
                null,
                null);
        Files.write(folder.recordFile(), RunJson.MAPPER.writeValueAsBytes(record));
        Files.setLastModifiedTime(
                folder.recordFile(), FileTime.from(Instant.now().minusSeconds(5)));
        return folder;
    }

    private String listed() {
        Screen screen = new Screen();
        int code = Pacer.run(new String[] {"runs"}, screen.console(Map.of("PACER_RUNS", runs.toString())));
        assertThat(code).as(screen.errors()).isZero();
        return screen.raw();
    }

    /** Its stage began hours ago: it was interrupted, and nobody worked on it meanwhile. */
    @Test
    void theTimeOfARunAtWorkIsThatWorkedSoFar() throws Exception {
        RunFolder folder = training(StageRecord.Status.RUNNING, null, null);
        try (RunLease _ = folder.tryLease().orElseThrow()) {
            assertThat(listed()).containsPattern("tiny-1 +running +2 min 0[5-9] s");
            Files.setLastModifiedTime(
                    folder.recordFile(), FileTime.from(Instant.now().minusSeconds(3600)));
            assertThat(listed()).as("nobody has written it down since").containsPattern("running +2 min 15 s");
        }
        assertThat(listed()).containsPattern("tiny-1 +interrupted +2 min 00 s");
    }

    @Test
    void aPausedRunSaysSinceWhenAndHowToGoOn() throws Exception {
        Instant since = Instant.parse("2026-11-24T03:30:20Z");
        RunFolder folder = training(StageRecord.Status.STOPPED, "stopped: on request", since);
        Files.writeString(folder.path().resolve(".lease-owner"), "tiny-1-workflow/1");
        assertThat(listed())
                .containsPattern("tiny-1 +paused +2 min 00 s")
                .contains("since "
                        + DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm").format(since.atZone(ZoneId.systemDefault())))
                .contains("temporal workflow update execute --workflow-id tiny-1-workflow --name resume");

        training(StageRecord.Status.STOPPED, "stopped: the worker shuts down", since);
        assertThat(listed()).containsPattern("tiny-1 +waiting +2 min 00 s");
    }
}
