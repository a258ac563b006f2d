package pacer.workflows.cli;

import java.util.List;
import pacer.activities.run.RunUpdate;
import pacer.activities.sweep.SweepPlan;
import pacer.activities.sweep.SweepRun;
import pacer.workflows.SweepHandle;

/** One line for each run that ended, and the view of a run below. */
final class SweepFollower implements SweepHandle.Listener, AutoCloseable {
    private final Terminal terminal;
    private RunView view;
    private SweepPlan plan;

    SweepFollower(Terminal terminal) {
        this.terminal = terminal;
        this.view = new RunView(terminal, System::nanoTime).ticking();
    }

    void say(String line) {
        view.say(line);
    }

    @Override
    public void settled(SweepPlan settled, List<SweepRun> before) {
        plan = settled;
        say("%s, %s: %d runs%s%s"
                .formatted(
                        count(plan.points().size(), "point"),
                        count(plan.seeds().size(), "seed"),
                        plan.runs(),
                        plan.parallel() == 1 ? "" : ", " + plan.parallel() + " at a time",
                        before.isEmpty() ? "" : "; " + before.size() + " ended before"));
    }

    private static String count(int number, String what) {
        return number + " " + what + (number == 1 ? "" : "s");
    }

    @Override
    public void began(String run) {
        view.close();
        view = new RunView(terminal, System::nanoTime).ticking();
        for (int number = 0; number < plan.runs(); number++) {
            var trial = plan.trial(number);
            if (trial.run().equals(run)) {
                say(terminal.paint(
                        Tone.STRONG,
                        "run %d of %d: %s, seed %d"
                                .formatted(number + 1, plan.runs(), plan.brief(trial.point()), trial.seed())));
            }
        }
    }

    @Override
    public void advanced(RunUpdate update) {
        view.accept(update);
    }

    @Override
    public void ended(SweepRun run) {
        say("%s, seed %d: %s".formatted(plan.brief(run.point()), run.seed(), run.told()));
    }

    @Override
    public void close() {
        view.close();
    }
}
