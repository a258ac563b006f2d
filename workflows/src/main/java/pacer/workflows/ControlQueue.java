package pacer.workflows;

import io.temporal.api.deployment.v1.WorkerDeploymentOptions;
import io.temporal.api.deployment.v1.WorkerDeploymentVersion;
import io.temporal.api.enums.v1.WorkerVersioningMode;
import io.temporal.api.taskqueue.v1.PollerInfo;
import io.temporal.api.taskqueue.v1.TaskQueueVersioningInfo;
import io.temporal.api.workflowservice.v1.DescribeTaskQueueResponse;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Who listens for runs, and to which version of them the service gives runs.
 *
 * @param current empty where runs are given to workers without a version
 * @param listening those that are alive, as far as the service tells; empty for one without a version
 */
record ControlQueue(Optional<Deployment> current, List<Optional<Deployment>> listening) {

    static ControlQueue of(DescribeTaskQueueResponse queue) {
        TaskQueueVersioningInfo routing = queue.getVersioningInfo();
        return new ControlQueue(
                version(routing.hasCurrentDeploymentVersion(), routing.getCurrentDeploymentVersion()),
                queue.getPollersList().stream()
                        .filter(poller -> TemporalConnection.isAlive(
                                poller.getIdentity(),
                                Instant.ofEpochSecond(poller.getLastAccessTime().getSeconds())))
                        .map(ControlQueue::version)
                        .toList());
    }

    private static Optional<Deployment> version(boolean there, WorkerDeploymentVersion version) {
        return there && !version.getBuildId().isEmpty()
                ? Optional.of(new Deployment(version.getDeploymentName(), version.getBuildId()))
                : Optional.empty();
    }

    private static Optional<Deployment> version(PollerInfo poller) {
        WorkerDeploymentOptions options = poller.getDeploymentOptions();
        return options.getWorkerVersioningMode() == WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED
                ? Optional.of(new Deployment(options.getDeploymentName(), options.getBuildId()))
                : Optional.empty();
    }

    /** Whether one listens that runs are given to. */
    boolean isWorkedOn() {
        return listening.contains(current);
    }
}
