package pacer.workflows;

import io.temporal.failure.ActivityFailure;
import io.temporal.failure.ApplicationFailure;
import io.temporal.failure.ChildWorkflowFailure;
import io.temporal.workflow.Workflow;
import java.util.Map;
import pacer.activities.reproduction.Reproduction;
import pacer.activities.reproduction.ReproductionActivity;
import pacer.activities.run.RunRequest;

/** One run, never gone on with from an earlier one, then a look at those before it. */
public final class ReproduceImpl implements Reproduce {
    /** Type of the failure of a reproduction that did not reach what is expected. */
    static final String MISSED = "Missed";

    private final Policies policies;

    ReproduceImpl(Policies policies) {
        this.policies = policies;
    }

    @Override
    public Reproduction run(RunRequest request) {
        PipelineResult result = train(request);
        Reproduction told;
        try {
            told = new Patience(policies, result.host())
                    .await(p -> Workflow.newActivityStub(ReproductionActivity.class, p.comparing(result.host()))
                            .compare(result.run()));
        } catch (ActivityFailure e) {
            throw TrainPipelineImpl.inItsOwnWords(e);
        }
        Workflow.upsertMemo(Map.of("run", told.run(), "verdict", told.text()));
        Workflow.setCurrentDetails(told.text());
        if (Boolean.FALSE.equals(told.passed())) {
            throw ApplicationFailure.newNonRetryableFailure(told.text(), MISSED, told);
        }
        return told;
    }

    private PipelineResult train(RunRequest request) {
        String id = Workflow.getInfo().getWorkflowId();
        TrainPipeline pipeline = Workflow.newChildWorkflowStub(
                TrainPipeline.class, Policies.run(id + "-run", "the run of " + id, Map.of()));
        try {
            return pipeline.run(request);
        } catch (ChildWorkflowFailure e) {
            throw TrainPipelineImpl.inItsOwnWords(e);
        }
    }
}
