package pacer.workflows;

import io.temporal.failure.CanceledFailure;
import io.temporal.failure.TemporalFailure;
import io.temporal.workflow.Async;
import io.temporal.workflow.CancellationScope;
import io.temporal.workflow.ChildWorkflowOptions;
import io.temporal.workflow.Promise;
import io.temporal.workflow.Workflow;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import pacer.activities.run.Budget;
import pacer.activities.run.RunRequest;
import pacer.activities.sweep.SweepActivity;
import pacer.activities.sweep.SweepPlan;
import pacer.activities.sweep.SweepRun;
import pacer.activities.sweep.SweepTrial;

/** The runs of a sweep: child workflows, a few at a time, in the sweep's order. One that fails costs the others nothing. */
final class SweepRuns {
    /** Where so many failed, and none did not, the rest would fail too. */
    private static final int HOPELESS = 3;

    private final SweepPlan plan;
    private final Policies policies;
    private final Consumer<SweepRun> onEnd;
    private final Runnable changed;
    private final Map<Integer, SweepRun> ended = new TreeMap<>();
    private final Map<Integer, Promise<SweepRun>> working = new TreeMap<>();
    private final EarlyStops stops;
    private int begun;
    private int next;

    /**
     * @param before runs that ended already
     * @param onEnd hears of each run that ended
     * @param changed hears when a run begins or ends
     */
    SweepRuns(SweepPlan plan, Policies policies, List<SweepRun> before, Consumer<SweepRun> onEnd, Runnable changed) {
        this.plan = plan;
        this.policies = policies;
        this.onEnd = onEnd;
        this.changed = changed;
        before.forEach(run -> ended.put(run.number(), run));
        this.stops = new EarlyStops(plan, policies, before);
    }

    /** Those that ended, in the sweep's order. */
    List<SweepRun> ended() {
        return List.copyOf(ended.values());
    }

    /** Workflow ids of those at work. */
    List<String> working() {
        return working.keySet().stream().map(number -> plan.trial(number).run()).toList();
    }

    /** Whether all runs ended. */
    boolean isOver() {
        return ended.size() == plan.runs();
    }

    /**
     * Trains until all runs ended, or as many as fit in a history: then none is at work, as runs at work cannot be handed on.
     *
     * @return why no more are begun; null where nothing is wrong
     */
    String train() {
        while (true) {
            String why = null;
            while (isNextWanted() && (why = refusal()) == null) {
                begin(plan.trial(next++));
            }
            if (working.isEmpty()) {
                return why;
            }
            Workflow.await(() -> working.values().stream().anyMatch(Promise::isCompleted));
            for (int done : List.copyOf(working.keySet())) {
                if (working.get(done).isCompleted()) {
                    end(plan.trial(done));
                }
            }
        }
    }

    /** Whether there is a next run that may begin now, as far as places go. */
    private boolean isNextWanted() {
        while (ended.containsKey(next)) {
            next++;
        }
        boolean full = begun >= policies.runsAHistory()
                || (begun > 0 && Workflow.getInfo().isContinueAsNewSuggested());
        return next < plan.runs() && working.size() < plan.parallel() && !full;
    }

    /** Why no further run makes sense; null where one does. */
    private String refusal() {
        Budget left = left();
        if (left != null && left.usedUp()) {
            return "its budget is used up";
        }
        boolean allFailed = ended.values().stream().allMatch(run -> run.state() == SweepRun.State.FAILED);
        return allFailed && ended.size() >= HOPELESS
                ? "the first %d runs failed, all of them".formatted(ended.size())
                : null;
    }

    private void begin(SweepTrial trial) {
        begun++;
        String label = plan.points().get(trial.point()).label();
        String note = plan.request().note();
        RunRequest request = plan.request()
                .run(
                        plan.points().get(trial.point()).settings(),
                        trial.seed(),
                        trial.run(),
                        note == null || note.isBlank() ? label : label + "; " + note,
                        left());
        working.put(trial.number(), Async.function(() -> train(trial, request)));
        changed.run();
    }

    private void end(SweepTrial trial) {
        Promise<SweepRun> promise = working.get(trial.number());
        SweepRun run;
        try {
            run = promise.get();
        } catch (CanceledFailure e) {
            throw e;
        } catch (TemporalFailure e) {
            run = trial.failed(Trial.why(e));
        } finally {
            working.remove(trial.number());
        }
        ended.put(trial.number(), run);
        stops.ended(run);
        onEnd.accept(run);
        changed.run();
    }

    /** Waits for those at work, whatever they come to. */
    void awaitEnd() {
        Workflow.await(() -> working.values().stream().allMatch(Promise::isCompleted));
    }

    private SweepRun train(SweepTrial trial, RunRequest request) {
        return Trial.insisted(() -> {
            CancellationScope watch = stops.watch(trial);
            try {
                PipelineResult result = Workflow.newChildWorkflowStub(TrainPipeline.class, options(trial))
                        .run(request);
                return new Patience(policies, result.host())
                        .await(p -> Workflow.newActivityStub(SweepActivity.class, p.recording(result.host()))
                                .read(trial, stops.why(trial)));
            } finally {
                watch.cancel("the run has ended");
            }
        });
    }

    private ChildWorkflowOptions options(SweepTrial trial) {
        String summary = "run %d of %d of %s: %s, seed %d"
                .formatted(trial.number() + 1, plan.runs(), plan.id(), plan.brief(trial.point()), trial.seed());
        return Policies.run(trial.run(), RunPage.cut(summary), Map.of(TrainPipelineImpl.PART_OF, "sweep"));
    }

    /** What a run that begins now may take: of what ended runs left, an equal part for each that may work beside it; null for no limit. */
    private Budget left() {
        Budget all = plan.request().budget();
        double spent =
                ended.values().stream().mapToDouble(SweepRun::spentSeconds).sum();
        return all == null ? null : all.left(spent, plan.dollarsPerHour(), plan.parallel());
    }
}
