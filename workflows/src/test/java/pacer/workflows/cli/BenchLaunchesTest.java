package pacer.workflows.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunRecord;
import pacer.activities.run.RunStatus;
import pacer.trainer.checkpoint.EventLog;
import pacer.trainer.event.TrainingEvent;

class BenchLaunchesTest {
    private static final Instant LAUNCHED = Instant.parse("2026-11-22T10:00:00Z");

    @TempDir
    private Path folder;

    private BenchProgram.Done done(TrainingEvent... events) throws IOException {
        RunFolder run = new RunFolder(folder);
        Files.write(run.events(), List.of(events).stream().map(EventLog::line).toList());
        BenchChild child = new BenchChild(0, List.of(), List.of(), LAUNCHED, 9, OptionalLong.empty());
        RunRecord record = new RunRecord(
                "r", "p", "h", null, RunStatus.FINISHED, at(0.7), at(8), "w", null, List.of(), null, null);
        return new BenchProgram.Done(child, run, record);
    }

    private static Instant at(double seconds) {
        return LAUNCHED.plusMillis(Math.round(1e3 * seconds));
    }

    private static TrainingEvent started(double seconds) {
        return new TrainingEvent.Started(at(seconds), 0, 3, 1, 1, 1, "cpu", 1, null);
    }

    private static TrainingEvent validated(double seconds, int step) {
        return new TrainingEvent.Validated(at(seconds), step, 4.3, 100, true);
    }

    private static TrainingEvent step(double seconds, int step) {
        return new TrainingEvent.Step(at(seconds), step, 4.3, 1, 1e-3, 10, 100);
    }

    @Test
    void timesAreThoseOfTheEvents() throws IOException {
        assertThat(BenchLaunches.launch(
                        done(started(1.2), validated(1.9, 0), step(2.25, 1), step(2.5, 2), validated(3, 3))))
                .isEqualTo(new BenchLaunches.Launch(0.7, 1.2, 1.9, 2.25, 9));
    }

    @Test
    void aPresetMayMeasureNothingBeforeTraining() throws IOException {
        BenchLaunches.Launch launch = BenchLaunches.launch(done(started(1.2), step(2.25, 1), validated(3, 3)));
        assertThat(launch.secondsToValidation()).isNull();
        assertThat(new BenchLaunches("p", launch, List.of(launch))
                        .tables()
                        .getFirst()
                        .rows()
                        .getLast())
                .containsExactly("1", "0.70", "1.20", "", "2.25", "9.00");
    }

    @Test
    void aRunWithoutAStepIsNoResult() throws IOException {
        BenchProgram.Done done = done(started(1.2));
        assertThatThrownBy(() -> BenchLaunches.launch(done)).hasMessageContaining("no first step in it");
    }

    @Test
    void theHeadlineIsTheMedianOfTheWarmLaunches() {
        BenchLaunches launches =
                new BenchLaunches("quickstart", launch(7), List.of(launch(2), launch(3.5), launch(2.25)));
        assertThat(launches.headline())
                .isEqualTo("quickstart: first step 2.25 s after launch (2.00 to 3.50), 7.00 s with an empty cache");
    }

    private static BenchLaunches.Launch launch(double seconds) {
        return new BenchLaunches.Launch(0.5, 1, null, seconds, 9);
    }
}
