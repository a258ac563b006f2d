package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.Home;
import pacer.activities.run.OtherJvm;
import pacer.activities.run.RunIndex;
import pacer.activities.run.RunRecord;
import pacer.activities.run.RunStatus;
import pacer.activities.run.RunUpdate;
import pacer.activities.run.Stage;
import pacer.activities.run.StageRecord;
import pacer.activities.run.TestRuns;
import pacer.trainer.checkpoint.EventLog;
import pacer.trainer.event.TrainingEvent;

/**
 * One run whose process, service and worker and all, dies at the beginning and at the end of each stage and in the middle of
 * the training, and is started again each time by the same command.
 */
@Timeout(180)
class KilledWorkerTest {
    private static final int KILLED = 137;

    @TempDir
    private Path folder;

    /** Where a process dies: at a stage's beginning, when its record says it is done, or at a step. */
    private record Death(Stage stage, String when) {}

    /** Runs the pipeline, whose trainer waits at step 15 the first time, and dies without a word where it is told to. */
    static final class Mortal {
        public static void main(String[] arguments) throws IOException, InterruptedException {
            Path folder = Path.of(arguments[0]);
            Home home = TestRuns.home(folder);
            try (Pipeline pipeline = TestPipelines.embedded(home, "mishap=wait", "at=15")) {
                RunHandle run = pipeline.start(TestPipelines.layers(folder.resolve("text.txt")), null, null, false);
                if (arguments.length > 1) {
                    Death death = new Death(Stage.valueOf(arguments[1]), arguments[2]);
                    // listeners of the hub are called by the stage itself
                    pipeline.hub().orElseThrow().follow(run.id(), update -> die(death, update));
                }
                System.out.println(run.result().status());
            }
        }

        private static void die(Death death, RunUpdate update) {
            boolean now =
                    switch (update) {
                        case RunUpdate.StageStarted started ->
                            death.when().equals("started") && started.stage() == death.stage();
                        case RunUpdate.StageEnded ended ->
                            death.when().equals("ended") && ended.record().stage() == death.stage();
                        case RunUpdate.Trained(TrainingEvent.Step step) ->
                            death.when().equals("at step " + step.step());
                        default -> false;
                    };
            if (now) {
                Runtime.getRuntime().halt(KILLED);
            }
        }
    }

    @Test
    void goesOnWhereItDiedAndRedoesNothingThatWasDone() throws Exception {
        TestRuns.text(folder.resolve("text.txt"), 20);
        List<Death> deaths = new ArrayList<>();
        for (Stage stage : Stage.values()) {
            deaths.add(new Death(stage, "started"));
            if (stage == Stage.TRAIN) {
                deaths.add(new Death(stage, "at step 14"));
            }
            deaths.add(new Death(stage, "ended"));
        }
        Map<Stage, FileTime> made = new EnumMap<>(Stage.class);
        for (Death death : deaths) {
            assertThat(runUntil(death))
                    .as(death + "\n" + Files.readString(folder.resolve("log")))
                    .isEqualTo(KILLED);
            for (Stage stage : made.keySet()) {
                assertThat(Files.getLastModifiedTime(product(stage)))
                        .as(death + ": " + stage)
                        .isEqualTo(made.get(stage));
            }
            if (death.when().equals("ended")) {
                made.put(death.stage(), Files.getLastModifiedTime(product(death.stage())));
            }
        }
        made.remove(Stage.PUBLISH); // made from what is there, each time

        assertThat(runUntil(null)).isZero();

        RunRecord record = record();
        assertThat(record.status()).isEqualTo(RunStatus.FINISHED);
        assertThat(record.stages()).hasSize(5).allMatch(s -> s.status() == StageRecord.Status.DONE);
        for (Stage stage : made.keySet()) {
            assertThat(Files.getLastModifiedTime(product(stage)))
                    .as(stage.label())
                    .isEqualTo(made.get(stage));
            assertThat(record.stage(stage).orElseThrow().reused())
                    .as(stage.label())
                    .isTrue();
        }
        assertThat(EventLog.read(home().run(record.id()).events(), damage -> {}))
                .filteredOn(TrainingEvent.Started.class::isInstance)
                .extracting(TrainingEvent::step)
                .as("one training from the beginning, one from the checkpoint before the death")
                .containsExactly(0, 10);
    }

    private int runUntil(Death death) throws IOException, InterruptedException {
        Path log = folder.resolve("log");
        Process process = death == null
                ? OtherJvm.start(Mortal.class, log, folder.toString())
                : OtherJvm.start(
                        Mortal.class, log, folder.toString(), death.stage().name(), death.when());
        return process.waitFor();
    }

    private Home home() {
        return TestRuns.home(folder);
    }

    private RunRecord record() throws IOException {
        List<RunIndex.Entry> runs = new RunIndex(home().runs()).list();
        assertThat(runs).as("it is one run all along").hasSize(1);
        return runs.getFirst().record();
    }

    /** What tells, by its time, whether a stage was done again. */
    private Path product(Stage stage) throws IOException {
        RunRecord record = record();
        String dataset =
                record.stage(Stage.DATASET).orElseThrow().result().get("hash").asText();
        return switch (stage) {
            case DATASET -> home().datasets().resolve(dataset).resolve("manifest.json");
            case STAGE -> home().staged().resolve(dataset).resolve("manifest.json");
            case TRAIN -> home().run(record.id()).events();
            case EVALUATE -> home().run(record.id()).samples().resolve("final-1.txt");
            case PUBLISH -> home().run(record.id()).metrics();
        };
    }
}
