package pacer.workflows;

import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import pacer.activities.reproduction.Reproduction;
import pacer.activities.run.RunRequest;

/** A preset trained anew, and held against what it is expected to reach and what it reached before: what a nightly schedule starts. */
@WorkflowInterface
public interface Reproduce {

    /** Fails where the validation loss is above what the preset expects, so that a schedule, and whoever watches it, sees it. */
    @WorkflowMethod(name = "Reproduce")
    Reproduction run(RunRequest request);
}
