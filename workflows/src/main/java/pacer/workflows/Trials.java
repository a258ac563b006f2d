package pacer.workflows;

import io.temporal.failure.CanceledFailure;
import io.temporal.failure.TemporalFailure;
import io.temporal.workflow.Async;
import io.temporal.workflow.ChildWorkflowOptions;
import io.temporal.workflow.Promise;
import io.temporal.workflow.Workflow;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import pacer.activities.record.RecordActivity;
import pacer.activities.record.RecordPlan;
import pacer.activities.record.RecordRun;
import pacer.activities.run.Budget;
import pacer.activities.run.RunRequest;

/** The runs of a record attempt: child workflows, a few at a time, in the order of their seeds. */
final class Trials {
    private final RecordPlan plan;
    private final Policies policies;
    private final Runnable changed;
    private final Map<Integer, RecordRun> finished = new TreeMap<>();
    private final Map<Integer, Promise<RecordRun>> working = new TreeMap<>();
    private int begun;

    /** @param changed hears when a run begins or ends */
    Trials(RecordPlan plan, Policies policies, Runnable changed) {
        this.plan = plan;
        this.policies = policies;
        this.changed = changed;
    }

    /** Those finished, in order. */
    List<RecordRun> finished() {
        return List.copyOf(finished.values());
    }

    /** Workflow ids of those at work. */
    List<String> working() {
        return working.keySet().stream().map(this::id).toList();
    }

    private String id(int number) {
        return Workflow.getInfo().getWorkflowId() + "-" + (number + 1);
    }

    /**
     * Trains until the first {@code number} runs are finished. No more are begun, so that who looks then decides about those alone.
     *
     * @return why it could not; null when it did
     */
    String until(int number) {
        while (finished.size() < number) {
            while (begun < number && working.size() < plan.parallel() && isWithinBudget()) {
                begin(begun++);
            }
            if (working.isEmpty()) {
                return "its budget is used up";
            }
            Workflow.await(() -> working.values().stream().anyMatch(Promise::isCompleted));
            for (int done : List.copyOf(working.keySet())) {
                if (working.get(done).isCompleted()) {
                    String failed = end(done);
                    if (failed != null) {
                        return failed; // the rest is told to end when the attempt has
                    }
                }
            }
        }
        return null;
    }

    private void begin(int number) {
        RunRequest request = plan.request().run(plan.seeds().get(number), left());
        working.put(number, Async.function(() -> train(number, request)));
        changed.run();
    }

    /** Why it failed; null when it did not. */
    private String end(int number) {
        Promise<RecordRun> ended = working.remove(number);
        try {
            finished.put(number, ended.get());
            return null;
        } catch (CanceledFailure e) {
            throw e;
        } catch (TemporalFailure e) {
            return "run %s, seed %d, failed: %s"
                    .formatted(id(number), plan.seeds().get(number), Trial.why(e));
        } finally {
            changed.run();
        }
    }

    /** Waits for those at work, whatever they come to. */
    void awaitEnd() {
        Workflow.await(() -> working.values().stream().allMatch(Promise::isCompleted));
    }

    private RecordRun train(int number, RunRequest request) {
        return Trial.insisted(() -> {
            PipelineResult result = Workflow.newChildWorkflowStub(TrainPipeline.class, options(number))
                    .run(request);
            return new Patience(policies, result.host())
                    .await(p -> Workflow.newActivityStub(RecordActivity.class, p.recording(result.host()))
                            .read(result.run(), plan.seeds().get(number)));
        });
    }

    private ChildWorkflowOptions options(int number) {
        String summary = "run %d of %d of %s, seed %d"
                .formatted(
                        number + 1, plan.seeds().size(), plan.id(), plan.seeds().get(number));
        return Policies.run(id(number), summary, Map.of(TrainPipelineImpl.PART_OF, "record attempt"));
    }

    private boolean isWithinBudget() {
        Budget left = left();
        return left == null || !left.usedUp();
    }

    /** What a run that begins now may take: of what finished runs left, an equal part for each that may work beside it; null for no limit. */
    private Budget left() {
        Budget all = plan.request().budget();
        double spent =
                finished.values().stream().mapToDouble(RecordRun::spentSeconds).sum();
        return all == null ? null : all.left(spent, plan.dollarsPerHour(), plan.parallel());
    }
}
