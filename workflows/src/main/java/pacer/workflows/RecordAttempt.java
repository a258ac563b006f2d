package pacer.workflows;

import io.temporal.workflow.QueryMethod;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import pacer.activities.record.RecordResult;
import pacer.activities.run.RecordRequest;

/** A preset trained with several seeds, to show that its mean validation loss is at most a target by more than chance. */
@WorkflowInterface
public interface RecordAttempt {
    @WorkflowMethod(name = "RecordAttempt")
    RecordResult run(RecordRequest request);

    @QueryMethod(name = "progress", description = "What was settled, the runs that are finished, and those at work")
    RecordProgress progress();
}
