package pacer.workflows.cli;

import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import pacer.activities.publishing.report.Quantities;
import pacer.activities.run.Progress;
import pacer.activities.run.RunUpdate;
import pacer.activities.run.Stage;
import pacer.activities.run.StageRecord;
import pacer.trainer.event.TrainingEvent;

/**
 * Shows a run while it is worked on: a line for each stage that ended, and below them, where the terminal can be drawn over,
 * one line that moves; elsewhere a line now and then.
 */
final class RunView implements Consumer<RunUpdate>, AutoCloseable {
    private static final long TICK_MILLIS = 100;
    private static final double FIRST_LINES_SECONDS = 10;

    private final Terminal terminal;
    private final LongSupplier nanos;
    private Pace pace;
    private Stage stage;
    private String doing = "";
    private long stageStart;
    private long lastLine;
    private boolean changed;
    private boolean closed;
    private boolean brief;

    RunView(Terminal terminal, LongSupplier nanos) {
        this.terminal = terminal;
        this.nanos = nanos;
        this.pace = new Pace(nanos);
    }

    /** Keeps the moving line moving, also while nothing is heard. */
    RunView ticking() {
        if (terminal.interactive()) {
            Thread.ofPlatform().daemon().name("progress").start(this::tick);
        }
        return this;
    }

    /** Of a run that is one of many: nothing of how its stages ended. */
    RunView brief() {
        brief = true;
        return this;
    }

    private void tick() {
        for (int i = 0; ; i++) {
            try {
                Thread.sleep(TICK_MILLIS);
            } catch (InterruptedException e) {
                return;
            }
            synchronized (this) {
                if (closed) {
                    return;
                }
                if (changed || i % 10 == 0) {
                    draw();
                }
            }
        }
    }

    @Override
    public synchronized void accept(RunUpdate update) {
        switch (update) {
            case RunUpdate.Opened opened -> {
                // its stages tell of themselves
            }
            case RunUpdate.StageStarted started -> begin(started.stage());
            case RunUpdate.Advanced advanced -> advance(advanced.progress());
            case RunUpdate.Trained trained -> train(trained.event());
            case RunUpdate.Evaluated evaluated -> {
                // the closing shows its loss and samples
                if (evaluated.event() instanceof TrainingEvent.Notice told) {
                    notice(told.text());
                }
                if (evaluated.event() instanceof TrainingEvent.Working working) {
                    doing = working.inWords();
                    changed = true;
                    nowAndThen();
                }
            }
            case RunUpdate.StageEnded ended -> end(ended.record());
            case RunUpdate.Closed closed -> {
                // the closing says it all
            }
            case RunUpdate.Stalled stalled -> {
                // the attempt's failure is told
            }
            case RunUpdate.Linked linked -> {
                if (!brief) {
                    say(terminal.paint(Tone.QUIET, "  %-8s  %s".formatted(linked.name(), linked.address())));
                }
            }
            case RunUpdate.Notice notice -> notice(notice.text());
        }
    }

    /** Prints a line above the moving one. */
    synchronized void say(String line) {
        erase();
        terminal.println(line);
        draw();
    }

    /** Prints what a person should know. */
    synchronized void notice(String text) {
        hanging(terminal.paint(Tone.WARN, "  ! "), Terminal.harmless(text), 4);
    }

    private void begin(Stage started) {
        stage = started;
        stageStart = nanos.getAsLong();
        lastLine = stageStart;
        doing = "";
        if (started == Stage.TRAIN) {
            pace = new Pace(nanos);
        }
        changed = true;
        draw();
    }

    private void advance(Progress progress) {
        if (progress.stage() == Stage.TRAIN) {
            pace.accept(progress);
        }
        String percent = progress.fraction() == null || progress.fraction().isNaN()
                ? ""
                : String.format(Locale.ROOT, "%.0f%%", 100 * progress.fraction());
        doing = (Terminal.harmless(progress.text() == null ? "" : progress.text()) + "  " + percent).strip();
        changed = true;
        nowAndThen();
    }

    private void train(TrainingEvent event) {
        pace.accept(event);
        changed = true;
        switch (event) {
            case TrainingEvent.Started e -> {
                say("  %s parameters, %s tokens a step%s"
                        .formatted(
                                Quantities.grouped(e.parameters()),
                                Quantities.grouped(e.batchTokens()),
                                e.plannedBytes() > 0 ? ", " + Quantities.bytes(e.plannedBytes()) + " planned" : ""));
                hanging("  ", Terminal.harmless(e.place()), 2);
                if (e.resumedFrom() != null) {
                    say("  going on from step " + Quantities.grouped(e.step()));
                }
            }
            case TrainingEvent.Notice e -> hanging(terminal.paint(Tone.QUIET, "  · "), Terminal.harmless(e.text()), 4);
            case TrainingEvent.Skipped e ->
                say(terminal.paint(Tone.WARN, "  ! ") + "step " + Quantities.grouped(e.step()) + " without update: "
                        + Terminal.harmless(e.reason()));
            case TrainingEvent.Validated e -> {
                say("  step %s  val %s%s"
                        .formatted(
                                Quantities.grouped(e.step()),
                                Quantities.loss(e.loss()),
                                e.best() ? ", the best so far" : ""));
            }
            case TrainingEvent.HellaSwag e ->
                say("  step %s  HellaSwag %.2f%% (%s of %s)"
                        .formatted(
                                Quantities.grouped(e.step()),
                                100 * e.accuracy(),
                                Quantities.grouped(e.right()),
                                Quantities.grouped(e.examples())));
            default -> nowAndThen();
        }
    }

    private void end(StageRecord record) {
        stage = null;
        if (brief) {
            return;
        }
        boolean done = record.status() == StageRecord.Status.DONE;
        Tone tone = done ? Tone.GOOD : record.status() == StageRecord.Status.FAILED ? Tone.BAD : Tone.WARN;
        String mark = done ? "✓" : record.status() == StageRecord.Status.FAILED ? "✗" : "●";
        String time = record.reused() && record.seconds() < 0.05 ? "" : Quantities.duration(record.seconds());
        String head = padded(record.stage()) + " " + pad(time, 8, true) + "  ";
        String summary = (record.summary() == null ? "" : Terminal.harmless(record.summary())) + attempts(record);
        boolean said = !record.reused() || summary.contains("there already");
        hanging(
                terminal.paint(tone, mark) + " " + head,
                (said ? "" : "taken from before: ") + summary,
                2 + head.length());
    }

    /** The time is that of all: what was seen of the last one alone is less. */
    private static String attempts(StageRecord record) {
        return record.attempts() > 1 && !record.reused() ? "  (in " + record.attempts() + " attempts)" : "";
    }

    /** Prints {@code text} after {@code head}, further lines of it {@code indent} columns in. */
    private void hanging(String head, String text, int indent) {
        List<String> lines = terminal.interactive()
                ? Terminal.wrapped(text, Math.max(20, terminal.columns() - indent - 1))
                : List.of(text);
        for (int i = 0; i < lines.size(); i++) {
            say((i == 0 ? head : " ".repeat(indent)) + lines.get(i));
        }
    }

    private void nowAndThen() {
        double quiet = (nanos.getAsLong() - lastLine) / 1e9;
        double pause = Math.max(FIRST_LINES_SECONDS, (nanos.getAsLong() - stageStart) / 1e9 / 60);
        if (!terminal.interactive() && stage != null && quiet >= pause) {
            printPace();
        }
    }

    private void printPace() {
        lastLine = nanos.getAsLong();
        terminal.println("  " + line(100).strip());
    }

    private String line(int width) {
        if (stage == Stage.TRAIN && pace.step() >= 0) {
            return terminal.interactive() ? ProgressBar.line(pace, width, terminal) : ProgressBar.plain(pace);
        }
        double seconds = (nanos.getAsLong() - stageStart) / 1e9;
        String time = seconds < 1 ? "" : seconds < 60 ? (long) seconds + " s" : Quantities.duration(seconds);
        String shown = "● " + padded(stage) + " " + pad(time, 8, true) + "  " + doing;
        return shown.length() > width ? shown.substring(0, width - 1) + "…" : shown;
    }

    private void draw() {
        if (!terminal.interactive() || stage == null || closed) {
            return;
        }
        changed = false;
        // the caret of a Ctrl-C must fit behind it, or it stays on a line of its own
        terminal.out().print("\r" + line(terminal.columns() - 3) + "\u001b[K");
        terminal.out().flush();
    }

    /** Also where nothing is drawn: between two stages the caret of a Ctrl-C stands there alone. */
    private void erase() {
        if (terminal.interactive()) {
            terminal.out().print("\r\u001b[K");
        }
    }

    private static String padded(Stage stage) {
        return pad(stage.title(), 9, false);
    }

    private static String pad(String text, int width, boolean left) {
        String blanks = " ".repeat(Math.max(0, width - text.length()));
        return left ? blanks + text : text + blanks;
    }

    @Override
    public synchronized void close() {
        erase();
        closed = true;
    }
}
