package pacer.workflows.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import pacer.activities.run.Progress;
import pacer.activities.run.RunUpdate;
import pacer.activities.run.Stage;
import pacer.activities.run.StageRecord;
import pacer.trainer.event.TrainingEvent;

class RunViewTest {
    private static final Instant NOON = Instant.parse("2026-11-22T12:00:00Z");

    private final Screen screen = new Screen();
    private final AtomicLong nanos = new AtomicLong();

    private RunView view(boolean interactive, int columns) {
        return new RunView(screen.terminal(interactive, columns), nanos::get);
    }

    private static StageRecord ended(Stage stage, StageRecord.Status status, boolean reused, String summary) {
        return new StageRecord(stage, status, "k", NOON, NOON, reused ? 0 : 1.25, 1, reused, summary, null);
    }

    private void train(RunView view, int steps, int of) {
        view.accept(new RunUpdate.StageStarted(Stage.TRAIN));
        view.accept(new RunUpdate.Trained(
                new TrainingEvent.Started(NOON, 0, of, 805_760, 768, 1, "cpu: oneDNN", 48_000_000, null)));
        for (int step = 1; step <= steps; step++) {
            nanos.addAndGet(12_000_000);
            view.accept(new RunUpdate.Trained(new TrainingEvent.Step(NOON, step, 2.5, 0.4, 6.25e-4, 12, 64_000)));
        }
    }

    @Test
    void stagesThatEndedStayAsLines() {
        RunView view = view(true, 80);
        view.accept(new RunUpdate.StageStarted(Stage.DATASET));
        view.accept(new RunUpdate.Advanced(Progress.of(Stage.DATASET, NOON, 0.5, "tokenizing")));
        view.accept(new RunUpdate.StageEnded(ended(Stage.DATASET, StageRecord.Status.DONE, false, "78 characters")));
        view.accept(new RunUpdate.StageEnded(ended(Stage.STAGE, StageRecord.Status.DONE, true, "2 shards")));
        view.accept(new RunUpdate.StageStarted(Stage.TRAIN));
        view.accept(new RunUpdate.StageEnded(ended(Stage.TRAIN, StageRecord.Status.FAILED, false, "disk full")));
        view.close();
        assertThat(screen.seen())
                .containsExactly(
                        "✓ Dataset      1.3 s  78 characters",
                        "✓ Stage               taken from before: 2 shards",
                        "✗ Train        1.3 s  disk full",
                        "");
    }

    /** The terminal itself writes it, wherever the cursor stands. */
    private void caret(Terminal terminal) {
        terminal.out().print("^C");
    }

    @Test
    void theCaretOfCtrlCDoesNotStay() {
        Terminal terminal = screen.terminal(true, 80);
        RunView view = new RunView(terminal, nanos::get);
        view.say("quickstart-1");
        caret(terminal); // before the first stage, and between two, nothing is drawn
        view.say("● stopping");
        view.accept(new RunUpdate.StageStarted(Stage.DATASET));
        caret(terminal);
        view.say("ended at once");
        view.accept(new RunUpdate.StageEnded(ended(Stage.DATASET, StageRecord.Status.STOPPED, false, "stopped")));
        caret(terminal);
        view.close();
        assertThat(screen.seen())
                .containsExactly("quickstart-1", "● stopping", "ended at once", "● Dataset      1.3 s  stopped", "");
    }

    @Test
    void aTimeOfSeveralAttemptsSaysSo() {
        RunView view = view(true, 80);
        StageRecord once = ended(Stage.TRAIN, StageRecord.Status.STOPPED, false, "stopped on request");
        view.accept(new RunUpdate.StageEnded(new StageRecord(
                once.stage(),
                once.status(),
                once.key(),
                once.started(),
                once.ended(),
                once.seconds(),
                3,
                false,
                once.summary(),
                null)));
        view.close();
        assertThat(screen.seen()).containsExactly("● Train        1.3 s  stopped on request  (in 3 attempts)", "");
    }

    @Test
    void longLinesHangBesideTheirHead() {
        RunView view = view(true, 60);
        view.accept(new RunUpdate.StageEnded(ended(
                Stage.DATASET,
                StageRecord.Status.DONE,
                true,
                "1,093,479 training and 121,498 validation tokens, there already")));
        view.close();
        assertThat(screen.seen())
                .containsExactly(
                        "✓ Dataset             1,093,479 training and 121,498",
                        "                      validation tokens, there already",
                        "");
    }

    @Test
    void aStageAtWorkSaysWhatItDoes() {
        RunView view = view(true, 80);
        view.accept(new RunUpdate.StageStarted(Stage.DATASET));
        nanos.addAndGet(3_000_000_000L);
        view.accept(new RunUpdate.Advanced(Progress.of(Stage.DATASET, NOON, 0.5, "tokenizing")));
        view.say("");
        assertThat(screen.seen().getLast()).startsWith("● Dataset").contains("3 s  tokenizing  50%");
    }

    @Test
    void theMovingLineNeverReachesTheEdge() {
        for (int columns = 25; columns < 160; columns++) {
            Screen narrow = new Screen();
            RunView view = new RunView(narrow.terminal(true, columns), nanos::get);
            train(view, 40, 2000);
            view.accept(new RunUpdate.Trained(new TrainingEvent.Validated(NOON, 40, 1.7, 768, true)));
            view.say("x");
            String last =
                    narrow.raw().substring(narrow.raw().lastIndexOf('\r') + 1).replaceAll("\u001b\\[[0-9]*[mK]", "");
            assertThat(last.codePointCount(0, last.length()))
                    .as(last)
                    .isLessThan(columns)
                    .isGreaterThan(16);
            assertThat(last).contains("40/2,000");
        }
    }

    @Test
    void aLongDoingIsCut() {
        RunView view = view(true, 40);
        view.accept(new RunUpdate.StageStarted(Stage.DATASET));
        view.accept(new RunUpdate.Advanced(
                Progress.of(Stage.DATASET, NOON, 0.5, "a very long text about what is done now ".repeat(9))));
        view.say("x");
        assertThat(screen.seen().getLast()).hasSize(37).endsWith("…");
    }

    @Test
    void eightyColumnsShowStepLossRateSpeedAndTimeLeft() {
        RunView view = view(true, 80);
        train(view, 500, 2000);
        view.say("");
        assertThat(screen.seen().getLast())
                .contains("█", "500/2,000", "loss 2.5000", "lr 6.25e-4", "64.0k tok/s", "ETA 18 s");
    }

    @Test
    void whereThereIsRoomTheLossSaysThatItIsAMean() {
        RunView wide = view(true, 100);
        train(wide, 500, 2000);
        wide.say("");
        assertThat(screen.seen().getLast()).contains("█", "mean loss 2.5000", "64.0k tok/s", "ETA 18 s");
        Screen log = new Screen();
        train(new RunView(log.terminal(false, 80), nanos::get), 2000, 2000);
        assertThat(log.raw()).contains("mean loss 2.5000");
    }

    @Test
    void aRunOfSeveralProcessesSaysHowMany() {
        RunView view = view(false, 80);
        view.accept(new RunUpdate.StageStarted(Stage.TRAIN));
        view.accept(new RunUpdate.Trained(
                new TrainingEvent.Started(NOON, 0, 10, 805_760, 768, 4, "CPU, 1 thread a lane", 0, null)));
        train(view, 1, 10);
        assertThat(screen.raw()).contains("  4 processes, each: CPU, 1 thread a lane\n", "  cpu: oneDNN\n");
    }

    @Test
    void validationLossesStayAboveTheBarAndTheRateStaysInIt() {
        RunView view = view(true, 80);
        train(view, 1500, 20_000);
        view.accept(new RunUpdate.Trained(new TrainingEvent.Validated(NOON, 1500, 2.39564, 768, true)));
        view.accept(new RunUpdate.Advanced(new Progress(
                Stage.TRAIN,
                NOON,
                0.1,
                "training",
                2000,
                20_000,
                2.0,
                2.1,
                null,
                6.25e-4,
                64_000.0,
                1500.0,
                null,
                null)));
        view.say("");
        assertThat(screen.seen()).contains("  step 1,500  val 2.3956, the best so far");
        assertThat(screen.seen().getLast()).contains("█", "2,000/20,000", "loss", "lr 6.25e-4", "ETA");
    }

    @Test
    void aLogGetsPlainLinesNowAndThen() {
        RunView view = view(false, 80);
        train(view, 2000, 2000);
        view.accept(new RunUpdate.Trained(new TrainingEvent.Validated(NOON, 2000, 1.7, 768, true)));
        view.accept(new RunUpdate.StageEnded(ended(Stage.TRAIN, StageRecord.Status.DONE, false, "done")));
        view.close();
        assertThat(screen.raw()).doesNotContain("\u001b", "\r", "█");
        // 24 s of training: two lines by the clock, one by the measurement
        assertThat(screen.seen().stream().filter(l -> l.contains("step ")))
                .hasSize(3)
                .last()
                .asString()
                .isEqualTo("  step 2,000  val 1.7000, the best so far");
    }

    @Test
    void whatTakesLongIsSaid() {
        RunView view = view(true, 100);
        train(view, 2, 100);
        view.accept(new RunUpdate.Trained(
                new TrainingEvent.Working(NOON, 2, TrainingEvent.Working.Phase.MICRO_STEPS, 12, 480)));
        view.say("");
        assertThat(screen.seen().getLast()).contains("2/100", "step 3: micro-step 12 of 480", "loss 2.5000");

        view.accept(new RunUpdate.Trained(new TrainingEvent.Step(NOON, 3, 2.5, 0.4, 6.25e-4, 12, 64_000)));
        view.say("");
        assertThat(screen.seen().getLast()).contains("3/100").doesNotContain("micro-step");

        view.accept(new RunUpdate.Advanced(new Progress(
                Stage.TRAIN,
                NOON,
                0.4,
                "training",
                4,
                100,
                2.0,
                2.1,
                null,
                1e-3,
                5000.0,
                61.0,
                "validating 40%",
                null)));
        view.say("");
        assertThat(screen.seen().getLast()).contains("4/100", "validating 40%");

        view.accept(new RunUpdate.StageStarted(Stage.EVALUATE));
        view.accept(new RunUpdate.Evaluated(
                new TrainingEvent.Working(NOON, 100, TrainingEvent.Working.Phase.SAMPLING, 1, 4)));
        view.say("");
        assertThat(screen.seen().getLast()).contains("Evaluate", "sampling 25%");
    }

    @Test
    void aLogIsNotFloodedByWhatTakesLong() {
        RunView view = view(false, 80);
        train(view, 2, 100);
        int before = screen.seen().size();
        for (int micro = 1; micro <= 1800; micro++) { // an hour
            nanos.addAndGet(2_000_000_000L);
            view.accept(new RunUpdate.Trained(
                    new TrainingEvent.Working(NOON, 2, TrainingEvent.Working.Phase.MICRO_STEPS, micro, 1800)));
        }
        assertThat(screen.seen().subList(before, screen.seen().size()))
                .hasSizeBetween(60, 200)
                .filteredOn(line -> !line.isBlank())
                .allMatch(line -> line.contains("micro-step"));
    }

    @Test
    void textFromElsewhereCannotCommandTheTerminal() {
        RunView view = view(true, 80);
        view.accept(new RunUpdate.StageStarted(Stage.TRAIN));
        view.accept(new RunUpdate.Notice(Stage.TRAIN, "a\u001b[2Jb\u0007"));
        view.accept(new RunUpdate.Trained(new TrainingEvent.Notice(NOON, 1, "c\u001b]0;title\u0007d")));
        view.accept(new RunUpdate.StageEnded(ended(Stage.TRAIN, StageRecord.Status.DONE, false, "e\u009bf\rg")));
        view.close();
        assertThat(String.join("\n", screen.seen()))
                .contains("a\uFFFD[2Jb\uFFFD", "e\uFFFDfg")
                .doesNotContain("\u009b");
    }

    @Test
    void aStepWithoutUpdateIsSaid() {
        RunView view = view(false, 80);
        train(view, 1, 10);
        view.accept(new RunUpdate.Trained(new TrainingEvent.Skipped(NOON, 2, Double.NaN, Double.NaN, "loss is NaN")));
        assertThat(screen.raw()).contains("! step 2 without update: loss is NaN");
    }

    @Test
    void progressFromAfarMovesTheBarToo() {
        RunView view = view(true, 90);
        view.accept(new RunUpdate.StageStarted(Stage.TRAIN));
        view.accept(new RunUpdate.Advanced(new Progress(
                Stage.TRAIN, NOON, 0.4, "training", 400, 1000, 2.0, 2.1, null, 1e-3, 5000.0, 61.0, null, null)));
        view.say("");
        assertThat(screen.seen().getLast()).contains("400/1,000", "loss 2.0000", "ETA 1:01 min");
    }
}
