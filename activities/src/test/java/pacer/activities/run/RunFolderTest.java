package pacer.activities.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class RunFolderTest {
    @TempDir
    private Path folder;

    private final RunHub hub = new RunHub();

    private Home home() {
        return TestRuns.home(folder);
    }

    private RunFolder open() throws IOException {
        RunPlan plan = TestRuns.open(home(), hub, TestRuns.text(folder.resolve("text.txt"), 1));
        return home().run(plan.run());
    }

    /** Ends stages over and over, a name of its own in each. */
    static final class Updating {
        public static void main(String[] arguments) throws IOException {
            RunFolder run = new RunFolder(Path.of(arguments[0]));
            for (int i = 0; i < 50; i++) {
                run.update(r -> new RunRecord(
                        r.id(),
                        r.preset(),
                        r.specHash(),
                        (r.note() == null ? "" : r.note()) + arguments[1],
                        r.status(),
                        r.created(),
                        r.finished(),
                        r.workflowId(),
                        r.environment(),
                        r.stages(),
                        r.verdict(),
                        r.failure()));
            }
        }
    }

    @Test
    void noChangeIsLostBetweenProcesses() throws Exception {
        RunFolder run = open();
        Process other =
                OtherJvm.start(Updating.class, folder.resolve("log"), run.path().toString(), "a");
        Updating.main(new String[] {run.path().toString(), "b"});
        assertThat(other.waitFor()).as(Files.readString(folder.resolve("log"))).isZero();

        String note = run.read().note();
        assertThat(note).hasSize(100);
        assertThat(note.chars().filter(c -> c == 'a')).hasSize(50);
    }

    @Test
    void theRecordReadsBackAsItWasWritten() throws Exception {
        RunFolder run = open();
        StageRecord stage = new StageRecord(
                Stage.TRAIN,
                StageRecord.Status.DONE,
                "key",
                Instant.parse("2026-11-22T10:00:00.123456789Z"),
                Instant.parse("2026-11-22T10:01:00Z"),
                60,
                2,
                false,
                "done",
                RunJson.MAPPER.valueToTree(Map.of("a", 1)));
        run.update(r -> r.withStage(stage).judged(new Verdict(true, 1.5, 1.6, "passed")));

        RunRecord read = run.read();
        assertThat(read.stage(Stage.TRAIN)).contains(stage);
        assertThat(read.verdict().passed()).isTrue();
        assertThat(read.environment()).isEqualTo(TestRuns.MACHINE);
        assertThat(Files.readString(run.recordFile())).contains("\"status\" : \"running\"", "2026-11-22T10:01:00Z");
    }

    @Test
    void fieldsOfLaterVersionsArePassedOver() throws Exception {
        RunFolder run = open();
        Files.writeString(
                run.recordFile(), Files.readString(run.recordFile()).replaceFirst("\\{", "{ \"shape\": [1, 2],"));
        assertThat(run.read().id()).isEqualTo(run.id());
    }

    @Test
    void aDamagedRecordIsNamedAndHidesNoOtherRun() throws Exception {
        RunFolder damaged = open();
        RunFolder sound = open();
        Files.writeString(damaged.recordFile(), "{ \"id\": ");

        assertThatThrownBy(damaged::read).hasMessageStartingWith(damaged.recordFile() + ": not a run record: ");
        RunIndex index = new RunIndex(home().runs());
        assertThat(index.list()).extracting(e -> e.record().id()).containsExactly(sound.id());
        assertThatThrownBy(() -> index.find(damaged.id())).hasMessageContaining("not a run record");
    }

    @Test
    void runsThatBeginInTheSameSecondHaveDifferentNames() throws Exception {
        assertThat(List.of(open(), open(), open())).doesNotHaveDuplicates();
    }

    @Test
    void whatOneThatWasKilledLeftHalfMadeIsGone() throws IOException {
        RunFolder made = open();
        Path next = Files.createDirectories(folder.resolve("runs/other"));
        Path half = Files.writeString(next.resolve(".preset.yaml.17fcb005-231e-4c13-962d-b9405ecbe714.tmp"), "half");
        new RunFolder(next).receive(Files.readAllBytes(made.recordFile()), Files.readAllBytes(made.preset()));
        assertThat(half).doesNotExist();
        assertThat(new RunFolder(next).exists()).isTrue();
    }

    @Test
    void whatAKilledWriterLeftOfARecordIsGoneWithTheNextChange() throws IOException {
        RunFolder run = open();
        Path half = Files.writeString(run.path().resolve(".run.json.17fcb005-231e-4c13-962d-b9405ecbe714.tmp"), "half");
        Path tracking =
                Files.writeString(run.path().resolve(".tracking.json.17fcb005-231e-4c13-962d-b9405ecbe714.tmp"), "");
        run.update(record -> record);
        assertThat(half).doesNotExist();
        assertThat(tracking).exists(); // its writer has another lock, and may be at it
    }
}
