package pacer.workflows.cli;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import pacer.activities.publishing.report.Quantities;
import pacer.activities.run.RunUpdate;
import pacer.activities.sweep.SweepPlan;
import pacer.activities.sweep.SweepRun;
import pacer.activities.sweep.SweepTrial;
import pacer.workflows.SweepHandle;

/** One line for each run that ended, and the moving line of a run below. */
final class SweepFollower implements SweepHandle.Listener, AutoCloseable {
    private final Terminal terminal;
    private final Set<Integer> over = new HashSet<>();
    private RunView view;
    private SweepPlan plan;
    private double spentSeconds;
    private long trained;

    SweepFollower(Terminal terminal) {
        this.terminal = terminal;
        this.view = view();
    }

    private RunView view() {
        return new RunView(terminal, System::nanoTime).brief().ticking();
    }

    void say(String line) {
        view.say(line);
    }

    @Override
    public void settled(SweepPlan settled, List<SweepRun> before) {
        plan = settled;
        before.forEach(this::count);
        say("%s, %s: %s of %s steps in all, %s"
                .formatted(
                        count(plan.points().size(), "point"),
                        count(plan.seeds().size(), "seed"),
                        count(plan.runs(), "run"),
                        Quantities.grouped(steps(true) + steps(false)),
                        plan.parallel() == 1 ? "one at a time" : plan.parallel() + " at a time"));
        if (!before.isEmpty()) {
            say(before.size() + " ended before, and stay");
        }
    }

    /** Of runs that ended, or of the others. */
    private long steps(boolean ended) {
        return IntStream.range(0, plan.runs())
                .filter(number -> over.contains(number) == ended)
                .mapToLong(number -> plan.trial(number).steps())
                .sum();
    }

    private static String count(int number, String what) {
        return number + " " + what + (number == 1 ? "" : "s");
    }

    @Override
    public void began(String run) {
        view.close();
        view = view();
        IntStream.range(0, plan.runs())
                .mapToObj(plan::trial)
                .filter(trial -> trial.run().equals(run))
                .forEach(trial ->
                        say(terminal.paint(Tone.STRONG, "run %d of %d".formatted(trial.number() + 1, plan.runs()))
                                + ": " + words(trial)));
    }

    private String words(SweepTrial trial) {
        return "%s, seed %d".formatted(plan.brief(trial.point()), trial.seed());
    }

    @Override
    public void advanced(RunUpdate update) {
        view.accept(update);
    }

    @Override
    public void ended(SweepRun run) {
        SweepTrial trial = plan.trial(run.number());
        count(run);
        String mark =
                switch (run.state()) {
                    case FINISHED -> terminal.paint(Tone.GOOD, "✓");
                    case STOPPED -> terminal.paint(Tone.WARN, "●");
                    case FAILED -> terminal.paint(Tone.BAD, "✗");
                };
        String text = words(trial) + ": " + Terminal.harmless(run.told());
        int width = terminal.interactive() ? Math.max(20, terminal.columns() - 3) : Integer.MAX_VALUE;
        String before = mark + " ";
        for (String line : Terminal.wrapped(text, width)) {
            say(before + line);
            before = "  ";
        }
        int left = plan.runs() - over.size();
        if (left > 0) {
            int lanes = Math.min(plan.parallel(), left);
            String togo = trained == 0
                    ? ""
                    : ", about " + Quantities.duration(spentSeconds / trained * steps(false) / lanes) + " to go";
            say(terminal.paint(Tone.QUIET, "  %d of %d runs ended%s".formatted(over.size(), plan.runs(), togo)));
        }
    }

    /** A run's stages take the more time the more steps it trains. */
    private void count(SweepRun run) {
        over.add(run.number());
        spentSeconds += run.spentSeconds();
        trained += run.steps();
    }

    @Override
    public void close() {
        view.close();
    }
}
