package pacer.activities.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class StageLogTest {

    @TempDir
    private Path folder;

    private final RunHub hub = new RunHub();
    private final TestStage stage = new TestStage();
    private final List<RunUpdate> told = new ArrayList<>();
    private Home home;
    private StageLog log;
    private String run;
    private int done;

    record Answer(int number) implements StageResult {
        @Override
        public String summary() {
            return "answer " + number;
        }
    }

    @BeforeEach
    void open() throws IOException {
        home = TestRuns.home(folder);
        log = new StageLog(home, hub, Clock.systemUTC());
        run = TestRuns.open(home, hub, TestRuns.text(folder.resolve("text.txt"), 1))
                .run();
        hub.follow(run, told::add);
    }

    private Answer run(String key) throws IOException, InterruptedException {
        return run(key, true, () -> new Answer(++done));
    }

    private Answer run(String key, boolean stillGood, StageLog.Body<Answer> body)
            throws IOException, InterruptedException {
        return log.run(run, Stage.EVALUATE, key, Answer.class, earlier -> stillGood, stage, body);
    }

    private StageRecord record() throws IOException {
        return home.run(run).read().stage(Stage.EVALUATE).orElseThrow();
    }

    @Test
    void aStageIsDoneOncePerKey() throws Exception {
        assertThat(run("a")).isEqualTo(new Answer(1));
        assertThat(record().reused()).isFalse();

        assertThat(run("a")).isEqualTo(new Answer(1));
        assertThat(record().reused()).isTrue();
        assertThat(record().attempts()).isEqualTo(1);

        assertThat(run("b")).isEqualTo(new Answer(2));
        assertThat(record().reused()).isFalse();
        assertThat(record().summary()).isEqualTo("answer 2");
    }

    @Test
    void aResultWhoseFilesAreGoneIsNotReused() throws Exception {
        run("a");
        assertThat(run("a", false, () -> new Answer(++done))).isEqualTo(new Answer(2));
    }

    @Test
    void aFailureIsRecordedWithItsReasonAndTheNextAttemptCounts() throws Exception {
        assertThatThrownBy(() -> run("a", true, () -> {
                    throw new IOException("disk full");
                }))
                .hasMessage("disk full");
        assertThat(record().status()).isEqualTo(StageRecord.Status.FAILED);
        assertThat(record().summary()).isEqualTo("disk full");

        run("a");
        assertThat(record().status()).isEqualTo(StageRecord.Status.DONE);
        assertThat(record().attempts()).isEqualTo(2);
    }

    @Test
    @Timeout(30)
    void theTimeOfAnAttemptThatWasCutOffCounts() throws Exception {
        AtomicLong now = new AtomicLong();
        StageLog often =
                new StageLog(home, hub, Clock.systemUTC(), () -> now.get() * 1_000_000_000, Duration.ofMillis(10));
        assertThatThrownBy(() -> often.run(run, Stage.EVALUATE, "a", Answer.class, e -> true, stage, () -> {
                    now.set(60);
                    while (record().seconds() < 60) {
                        Thread.sleep(5);
                    }
                    throw new Killed();
                }))
                .isInstanceOf(Killed.class);
        assertThat(record().status()).isEqualTo(StageRecord.Status.RUNNING);

        often.run(run, Stage.EVALUATE, "a", Answer.class, e -> true, stage, () -> {
            now.set(65);
            return new Answer(1);
        });
        assertThat(record().seconds()).isEqualTo(65);
    }

    /** Leaves a stage as a kill does: its record says that it works. */
    private static final class Killed extends Error {
        private static final long serialVersionUID = 1;
    }

    @Test
    void theTimeOfAResultThatDidNotLastCounts() throws Exception {
        AtomicLong now = new AtomicLong();
        StageLog timed =
                new StageLog(home, hub, Clock.systemUTC(), () -> now.get() * 1_000_000_000, Duration.ofHours(1));
        for (String key : List.of("a", "b")) {
            timed.run(run, Stage.EVALUATE, key, Answer.class, e -> true, stage, () -> {
                now.addAndGet(7);
                return new Answer(1);
            });
        }
        assertThat(record().attempts()).isEqualTo(1);
        assertThat(record().seconds()).isEqualTo(14);
    }

    @Test
    void aFailureThatCannotBeRecordedIsToldAllTheSame() {
        IOException full = new IOException("disk full");
        assertThatThrownBy(() -> run("a", true, () -> {
                    breakRecord();
                    throw full;
                }))
                .isSameAs(full);
        assertThat(full.getSuppressed()).hasSize(1);
        assertThat(told).last().satisfies(update -> assertThat(
                        ((RunUpdate.StageEnded) update).record().summary())
                .isEqualTo("disk full"));
    }

    @Test
    void aFailureThatIsFollowedByAnotherAttemptIsNoEnd() throws Exception {
        StageContext patient = new StageContext() {
            @Override
            public void progress(Progress newest) {}

            @Override
            public void notice(String text) {}

            @Override
            public Stop stop() {
                return Stop.NONE;
            }

            @Override
            public boolean again(Exception failure) {
                return true;
            }
        };
        assertThatThrownBy(() -> log.run(run, Stage.EVALUATE, "a", Answer.class, e -> true, patient, () -> {
                    throw new IOException("a hiccup");
                }))
                .hasMessage("a hiccup");
        assertThat(record().summary()).isEqualTo("a hiccup");
        assertThat(told).noneMatch(RunUpdate.StageEnded.class::isInstance);
    }

    @Test
    void aResultThatCannotBeRecordedIsNoSuccess() {
        assertThatThrownBy(() -> run("a", true, () -> {
                    breakRecord();
                    return new Answer(1);
                }))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("run.json");
        assertThat(told).noneMatch(RunUpdate.StageEnded.class::isInstance);
    }

    private void breakRecord() throws IOException {
        Files.delete(home.run(run).recordFile());
        Files.createDirectory(home.run(run).recordFile());
    }

    @Test
    void aStopIsNoFailure() {
        assertThatThrownBy(() -> run("a", true, () -> {
                    throw new StoppedException(StageContext.Stop.REQUESTED, "stopped");
                }))
                .isInstanceOf(StoppedException.class);
        assertThat(told).last().satisfies(update -> assertThat(
                        ((RunUpdate.StageEnded) update).record().status())
                .isEqualTo(StageRecord.Status.STOPPED));
    }

    @Test
    void anAttemptThoughtDeadDoesNotTouchTheRecordOfTheNext() throws Exception {
        run("a", true, () -> {
            // the next attempt begins, and is done, while this one still works
            Answer next = new StageLog(home, hub, Clock.systemUTC())
                    .run(run, Stage.EVALUATE, "a", Answer.class, earlier -> true, stage, () -> new Answer(42));
            assertThat(next).isEqualTo(new Answer(42));
            return new Answer(1);
        });
        assertThat(record().resultAs(Answer.class)).isEqualTo(new Answer(42));
        assertThat(record().attempts()).isEqualTo(2);
    }

    @Test
    void thoseWhoFollowHearOfBeginningAndEnd() throws Exception {
        run("a");
        assertThat(told.get(0)).isEqualTo(new RunUpdate.StageStarted(Stage.EVALUATE));
        assertThat(told.get(1)).isInstanceOf(RunUpdate.StageEnded.class);
    }
}
