package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Timestamp;
import io.temporal.api.deployment.v1.WorkerDeploymentOptions;
import io.temporal.api.deployment.v1.WorkerDeploymentVersion;
import io.temporal.api.enums.v1.WorkerVersioningMode;
import io.temporal.api.taskqueue.v1.PollerInfo;
import io.temporal.api.taskqueue.v1.TaskQueueVersioningInfo;
import io.temporal.api.workflowservice.v1.DescribeTaskQueueResponse;
import java.time.Instant;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Who counts as a worker that runs are given to. */
class ControlQueueTest {
    private static PollerInfo poller(String build) {
        PollerInfo.Builder poller = PollerInfo.newBuilder()
                .setIdentity("1@elsewhere-" + build)
                .setLastAccessTime(
                        Timestamp.newBuilder().setSeconds(Instant.now().getEpochSecond()));
        if (build != null) {
            poller.setDeploymentOptions(WorkerDeploymentOptions.newBuilder()
                    .setDeploymentName("pacer")
                    .setBuildId(build)
                    .setWorkerVersioningMode(WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED));
        }
        return poller.build();
    }

    /** Whether runs are worked on where they are given to {@code current} and {@code listening} listen; null is no version. */
    private static boolean worked(String current, String... listening) {
        DescribeTaskQueueResponse.Builder queue = DescribeTaskQueueResponse.newBuilder()
                .addAllPollers(
                        Stream.of(listening).map(ControlQueueTest::poller).toList());
        if (current != null) {
            queue.setVersioningInfo(TaskQueueVersioningInfo.newBuilder()
                    .setCurrentDeploymentVersion(WorkerDeploymentVersion.newBuilder()
                            .setDeploymentName("pacer")
                            .setBuildId(current)));
        }
        return ControlQueue.of(queue.build()).isWorkedOn();
    }

    @Test
    void onlyThoseThatRunsAreGivenToCount() {
        assertThat(worked(null)).isFalse();
        assertThat(worked(null, (String) null)).isTrue();
        assertThat(worked(null, "a")).isFalse();
        assertThat(worked("a", (String) null)).isFalse();
        assertThat(worked("a", "b", null)).isFalse();
        assertThat(worked("a", "b", "a")).isTrue();
    }

    @Test
    void whoWasLongSilentDoesNotCount() {
        PollerInfo silent = poller(null).toBuilder()
                .setLastAccessTime(
                        Timestamp.newBuilder().setSeconds(Instant.now().getEpochSecond() - 300))
                .build();
        assertThat(ControlQueue.of(DescribeTaskQueueResponse.newBuilder()
                                .addPollers(silent)
                                .build())
                        .isWorkedOn())
                .isFalse();
    }
}
