package pacer.activities.training;

import java.util.Optional;
import java.util.OptionalDouble;
import pacer.activities.run.Budget;
import pacer.activities.run.Progress;
import pacer.activities.run.RunRecord;
import pacer.activities.run.StageContext;
import pacer.activities.run.StoppedException;

/** A context that says stop when the run has used up its budget. */
final class BudgetWatch implements StageContext {
    private final StageContext context;
    private final long deadline; // nanoseconds
    private final String spent;

    private BudgetWatch(StageContext context, long deadline, String spent) {
        this.context = context;
        this.deadline = deadline;
        this.spent = spent;
    }

    /** {@code context} within the budget of {@code run}, of which what its stages took is spent. */
    static StageContext over(StageContext context, RunRecord run, double dollarsPerHour) {
        Budget budget = run.budget();
        OptionalDouble left =
                budget == null ? OptionalDouble.empty() : budget.secondsLeft(run.secondsSpent(), dollarsPerHour);
        if (left.isEmpty()) {
            return context;
        }
        String spent = "over budget, %s; more time or money lets it go on from its checkpoint: resume with --budget"
                .formatted(budget.inWords());
        return new BudgetWatch(context, System.nanoTime() + (long) (1e9 * left.getAsDouble()), spent);
    }

    @Override
    public Stop stop() {
        Stop told = context.stop();
        return told == Stop.NONE && System.nanoTime() - deadline >= 0 ? Stop.BUDGET : told;
    }

    @Override
    public Optional<String> unfit() {
        return context.unfit();
    }

    @Override
    public void check() {
        if (stop() == Stop.BUDGET) {
            throw new StoppedException(Stop.BUDGET, spent);
        }
        context.check();
    }

    @Override
    public void progress(Progress progress) {
        context.progress(progress);
    }

    @Override
    public void notice(String text) {
        context.notice(text);
    }

    @Override
    public boolean again(Exception failure) {
        return context.again(failure);
    }
}
