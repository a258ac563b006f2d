package pacer.workflows;

import io.temporal.workflow.QueryMethod;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import pacer.activities.run.SweepRequest;
import pacer.activities.sweep.SweepResult;
import pacer.activities.sweep.SweepState;

/** A preset trained with several settings and seeds, to see which settings are best. */
@WorkflowInterface
public interface Sweep {

    /**
     * Trains all, and compares.
     *
     * @param underWay what an earlier execution of it came to, when it is continued as new; null from those who start one
     */
    @WorkflowMethod(name = "Sweep")
    SweepResult run(SweepRequest request, SweepState underWay);

    @QueryMethod(name = "progress", description = "What was settled, the runs that ended, and those at work")
    SweepProgress progress();
}
