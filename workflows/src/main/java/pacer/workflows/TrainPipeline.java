package pacer.workflows;

import io.temporal.workflow.QueryMethod;
import io.temporal.workflow.SignalMethod;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import pacer.activities.run.ActivityStage;
import pacer.activities.run.Progress;
import pacer.activities.run.RunRequest;

/** Raw text to a trained, evaluated, published model. */
@WorkflowInterface
public interface TrainPipeline {

    @WorkflowMethod(name = "TrainPipeline")
    PipelineResult run(RunRequest request);

    @QueryMethod(name = "progress", description = "The stages begun, and how far the one at work is")
    PipelineProgress progress();

    @SignalMethod(name = ActivityStage.PROGRESS_SIGNAL, description = "From the stage at work: how far it is")
    void advanced(Progress progress);
}
