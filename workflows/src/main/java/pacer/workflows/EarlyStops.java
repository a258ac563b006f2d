package pacer.workflows;

import io.temporal.failure.TemporalFailure;
import io.temporal.workflow.Async;
import io.temporal.workflow.CancellationScope;
import io.temporal.workflow.Workflow;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import pacer.activities.sweep.Mark;
import pacer.activities.sweep.MedianRule;
import pacer.activities.sweep.SweepActivity;
import pacer.activities.sweep.SweepPlan;
import pacer.activities.sweep.SweepRun;
import pacer.activities.sweep.SweepTrial;
import pacer.activities.sweep.SweptRun;

/** Watches the validations of a sweep's runs where it stops hopeless ones. What cannot be watched is trained to its end. */
final class EarlyStops {
    private final SweepPlan plan;
    private final Policies policies;

    /** By the run's number. */
    private final Map<Integer, List<Mark>> curves = new TreeMap<>();

    private final Map<Integer, String> stopped = new HashMap<>();

    EarlyStops(SweepPlan plan, Policies policies, List<SweepRun> before) {
        this.plan = plan;
        this.policies = policies;
        before.forEach(this::ended);
    }

    /** Takes the curve of a run that ended, unless it was watched: that may have more of it. */
    void ended(SweepRun run) {
        if (plan.stopEarly() != null && !run.validations().isEmpty()) {
            curves.putIfAbsent(run.number(), run.validations());
        }
    }

    /** Why the run was asked to stop; null where it was not. */
    String why(SweepTrial trial) {
        return stopped.get(trial.number());
    }

    /** Begins to watch the run of {@code trial}, in a scope that whoever waits for it cancels. */
    CancellationScope watch(SweepTrial trial) {
        CancellationScope scope = Workflow.newCancellationScope(() -> {
            if (plan.stopEarly() != null) {
                Async.procedure(() -> untilTheEnd(trial));
            }
        });
        scope.run();
        return scope;
    }

    private void untilTheEnd(SweepTrial trial) {
        try {
            follow(trial);
        } catch (TemporalFailure e) { // cancelled, too: its run has ended
            Workflow.getLogger(EarlyStops.class).info("{} is watched no more: {}", trial.run(), e.getMessage());
        }
    }

    private void follow(SweepTrial trial) {
        SweptRun at =
                Workflow.newActivityStub(SweepActivity.class, policies.asking()).find(trial.run());
        SweepActivity there = Workflow.newActivityStub(SweepActivity.class, policies.watching(at.host()));
        List<Mark> own = new ArrayList<>();
        curves.put(trial.number(), own);
        while (true) {
            List<Mark> more = there.validations(at.run(), own.size());
            if (more.isEmpty()) {
                return;
            }
            own.addAll(more);
            String why = new MedianRule(plan.stopEarly()).hopeless(own, others(trial));
            if (why != null) {
                stopped.put(trial.number(), why);
                String _ = Workflow.newActivityStub(SweepActivity.class, policies.stoppingEarly())
                        .stopEarly(trial.run());
                return;
            }
        }
    }

    private Map<Integer, List<List<Mark>>> others(SweepTrial trial) {
        Map<Integer, List<List<Mark>>> others = new TreeMap<>();
        curves.forEach((number, curve) -> {
            int point = plan.trial(number).point();
            if (point != trial.point()) {
                others.computeIfAbsent(point, _ -> new ArrayList<>()).add(curve);
            }
        });
        return others;
    }
}
