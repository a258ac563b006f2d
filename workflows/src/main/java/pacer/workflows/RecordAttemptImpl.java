package pacer.workflows;

import io.temporal.failure.ActivityFailure;
import io.temporal.failure.CanceledFailure;
import io.temporal.failure.TemporalFailure;
import io.temporal.workflow.Workflow;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import pacer.activities.record.RecordActivity;
import pacer.activities.record.RecordPlan;
import pacer.activities.record.RecordResult;
import pacer.activities.record.RecordRun;
import pacer.activities.record.Significance;
import pacer.activities.run.RecordRequest;

/** Settles runs, seeds and looks; trains; looks at the losses; writes down what came of it. */
public final class RecordAttemptImpl implements RecordAttempt {
    private final Policies policies;
    private RecordPlan plan;
    private Trials trials;

    RecordAttemptImpl(Policies policies) {
        this.policies = policies;
    }

    @Override
    public RecordResult run(RecordRequest request) {
        try {
            plan = Workflow.newActivityStub(RecordActivity.class, policies.open())
                    .open(request);
        } catch (ActivityFailure e) {
            throw TrainPipelineImpl.inItsOwnWords(e);
        }
        trials = new Trials(plan, policies, this::show);
        show();
        try {
            return written(attempt());
        } catch (CanceledFailure e) {
            Workflow.newDetachedCancellationScope(() -> {
                        trials.awaitEnd();
                        written(RecordResult.ended(plan, trials.finished(), null, "it was stopped on request"));
                    })
                    .run();
            throw e;
        }
    }

    private RecordResult attempt() {
        Significance found = null;
        for (int look : plan.looks()) {
            String ending = trials.until(look);
            if (ending != null) {
                return RecordResult.ended(plan, trials.finished(), found, ending);
            }
            double[] losses = trials.finished().stream()
                    .mapToDouble(RecordRun::validationLoss)
                    .toArray();
            found = Significance.of(losses, plan.target(), plan.looks().size());
            if (found.holds()) {
                break;
            }
        }
        return RecordResult.of(plan, trials.finished(), found);
    }

    /** What it came to is not lost with its host: it is the workflow's result as well. */
    private RecordResult written(RecordResult result) {
        Workflow.upsertMemo(Map.of("record", plan.id(), "verdict", result.text()));
        try {
            String folder = new Patience(policies, plan.host())
                    .await(p -> Workflow.newActivityStub(RecordActivity.class, p.recording(plan.host()))
                            .write(result));
            show(result.text() + "\n\n`" + folder + "` on " + plan.host());
        } catch (CanceledFailure e) {
            throw e;
        } catch (TemporalFailure e) {
            show(result.text() + "\n\nnot written down: "
                    + TrainPipelineImpl.inItsOwnWords(e).getMessage());
        }
        return result;
    }

    private void show() {
        show(null);
    }

    private void show(String verdict) {
        StringBuilder page = new StringBuilder();
        page.append("**%s**: %s, %d runs, target %s\n\n"
                .formatted(plan.id(), plan.preset(), plan.seeds().size(), Double.toString(plan.target())));
        String gap = RunDetails.GAP;
        page.append("| run%s | seed%s | val loss |\n|---|---|---|\n".formatted(gap, gap));
        List<RecordRun> finished = trials.finished();
        for (RecordRun run : finished) {
            page.append(String.format(
                    Locale.ROOT, "| %s%s | %d%s | %.4f |\n", run.run(), gap, run.seed(), gap, run.validationLoss()));
        }
        for (String working : trials.working()) {
            page.append("| %s%s | ● at work | |\n".formatted(RunDetails.cell(working), gap));
        }
        if (verdict != null) {
            page.append("\n").append(verdict).append('\n');
        }
        Workflow.setCurrentDetails(page.toString());
    }

    @Override
    public RecordProgress progress() {
        return trials == null
                ? new RecordProgress(null, List.of(), List.of())
                : new RecordProgress(plan, trials.finished(), trials.working());
    }
}
