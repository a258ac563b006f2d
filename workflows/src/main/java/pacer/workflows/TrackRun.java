package pacer.workflows;

import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import pacer.activities.tracking.TrackingRequest;
import pacer.activities.tracking.TrackingResult;

/** A run to MLflow, while it is worked on and until all of it is there. */
@WorkflowInterface
public interface TrackRun {

    /**
     * What to track.
     *
     * @param host name of the host that the run's folder is on
     */
    record Input(String host, TrackingRequest request) {}

    @WorkflowMethod(name = "TrackRun")
    TrackingResult track(Input input);
}
