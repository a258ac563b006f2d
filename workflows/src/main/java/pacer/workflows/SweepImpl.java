package pacer.workflows;

import io.temporal.failure.ActivityFailure;
import io.temporal.failure.CanceledFailure;
import io.temporal.failure.TemporalFailure;
import io.temporal.workflow.Workflow;
import java.util.List;
import java.util.Map;
import pacer.activities.run.SweepRequest;
import pacer.activities.sweep.SweepActivity;
import pacer.activities.sweep.SweepPlan;
import pacer.activities.sweep.SweepResult;
import pacer.activities.sweep.SweepRun;
import pacer.activities.sweep.SweepState;

/** Settles points and seeds; trains; writes down how each run ended, and what all came to. */
public final class SweepImpl implements Sweep {
    private final Policies policies;
    private SweepPlan plan;
    private SweepRuns runs;

    SweepImpl(Policies policies) {
        this.policies = policies;
    }

    @Override
    public SweepResult run(SweepRequest request, SweepState underWay) {
        SweepState state = underWay != null ? underWay : open(request);
        plan = state.plan();
        runs = new SweepRuns(plan, policies, state.runs(), this::ended, this::show);
        show();
        try {
            String ending = runs.train();
            if (ending == null && !runs.isOver()) {
                Workflow.continueAsNew(request, new SweepState(plan, runs.ended()));
            }
            return written(SweepResult.of(plan, runs.ended(), ending));
        } catch (CanceledFailure e) {
            Workflow.newDetachedCancellationScope(() -> {
                        runs.awaitEnd();
                        written(SweepResult.of(plan, runs.ended(), "it was stopped on request"));
                    })
                    .run();
            throw e;
        }
    }

    private SweepState open(SweepRequest request) {
        String host = request == null ? null : request.host();
        try {
            return Workflow.newActivityStub(SweepActivity.class, host == null ? policies.open() : policies.open(host))
                    .open(request);
        } catch (ActivityFailure e) {
            throw TrainPipelineImpl.inItsOwnWords(e);
        }
    }

    /** The folder has each run when it ended, so that a page shows how it stands, and a sweep whose service is gone is gone on with. No run waits for it. */
    private void ended(SweepRun run) {
        try {
            Workflow.newActivityStub(SweepActivity.class, policies.noting(plan.host()))
                    .note(plan.id(), run);
        } catch (CanceledFailure e) {
            throw e;
        } catch (TemporalFailure e) {
            Workflow.getLogger(SweepImpl.class).warn("{} was not noted", run.run(), e);
        }
    }

    /** What it came to is not lost with its host: it is the workflow's result as well. */
    private SweepResult written(SweepResult result) {
        Workflow.upsertMemo(Map.of("sweep", plan.id(), "verdict", result.text()));
        try {
            String folder = new Patience(policies, plan.host())
                    .await(p -> Workflow.newActivityStub(SweepActivity.class, p.recording(plan.host()))
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
        Workflow.setCurrentDetails(SweepDetails.markdown(plan, runs.ended(), runs.working(), verdict));
    }

    @Override
    public SweepProgress progress() {
        return runs == null
                ? new SweepProgress(null, List.of(), List.of())
                : new SweepProgress(
                        plan, runs.ended().stream().map(SweepRun::brief).toList(), runs.working());
    }
}
