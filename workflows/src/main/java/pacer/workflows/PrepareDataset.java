package pacer.workflows;

import io.temporal.workflow.QueryMethod;
import io.temporal.workflow.SignalMethod;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import pacer.activities.dataset.DatasetResult;
import pacer.activities.run.ActivityStage;
import pacer.activities.run.PreparationRequest;
import pacer.activities.run.Progress;

/**
 * A dataset made by all hosts that share a store. The execution that makes it is named by the dataset's hash, so there is one; runs wait for it, and it
 * outlives them. One of another name finds the dataset, or waits for that execution.
 */
@WorkflowInterface
public interface PrepareDataset {
    String TYPE = "PrepareDataset";

    @WorkflowMethod(name = TYPE)
    DatasetResult prepare(PreparationRequest request);

    @QueryMethod(name = "progress", description = "The steps begun, and how far the one at work is")
    PreparationProgress progress();

    @SignalMethod(name = ActivityStage.PROGRESS_SIGNAL, description = "From the step at work: how far it is")
    void advanced(Progress progress);

    /** Id of the execution that makes the dataset {@code hash}. */
    static String id(String hash) {
        return "dataset-" + hash;
    }
}
