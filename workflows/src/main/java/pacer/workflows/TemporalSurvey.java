package pacer.workflows;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.temporal.api.enums.v1.IndexedValueType;
import io.temporal.api.enums.v1.TaskQueueType;
import io.temporal.api.operatorservice.v1.ListSearchAttributesRequest;
import io.temporal.api.operatorservice.v1.OperatorServiceGrpc;
import io.temporal.api.taskqueue.v1.PollerInfo;
import io.temporal.api.taskqueue.v1.TaskQueue;
import io.temporal.api.workflowservice.v1.DescribeNamespaceRequest;
import io.temporal.api.workflowservice.v1.DescribeTaskQueueRequest;
import io.temporal.api.workflowservice.v1.GetSystemInfoRequest;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** What a Temporal service says of itself, of pacer's namespace, and of who listens there. */
public final class TemporalSurvey {
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private final TemporalConnection connection;

    TemporalSurvey(TemporalConnection connection) {
        this.connection = connection;
    }

    /**
     * A worker of role {@code host}.
     *
     * @param there whether somebody answers for it on its queue for that
     * @param free whether somebody waits there for a training: nobody does while one is at work
     */
    public record WorkingHost(String name, boolean there, boolean free) {}

    /** The server's version, such as {@code 1.32.0}. */
    public String serverVersion() throws IOException {
        return asked(() -> connection
                .stubs()
                .blockingStub()
                .withDeadlineAfter(PATIENCE)
                .getSystemInfo(GetSystemInfoRequest.getDefaultInstance())
                .getServerVersion());
    }

    /** Name of the namespace that is used. */
    public String namespace() {
        return connection.namespace();
    }

    /** How long the namespace keeps what is over; empty where there is no such namespace. */
    public Optional<Duration> retention() throws IOException {
        DescribeNamespaceRequest request =
                DescribeNamespaceRequest.newBuilder().setNamespace(namespace()).build();
        try {
            return Optional.of(Duration.ofSeconds(connection
                    .stubs()
                    .blockingStub()
                    .withDeadlineAfter(PATIENCE)
                    .describeNamespace(request)
                    .getConfig()
                    .getWorkflowExecutionRetentionTtl()
                    .getSeconds()));
        } catch (StatusRuntimeException e) {
            if (e.getStatus().getCode() == Status.Code.NOT_FOUND) {
                return Optional.empty();
            }
            throw fault(e);
        }
    }

    /** Types of the namespace's own search attributes by name, as the service's own tools spell them. */
    public Map<String, String> searchAttributes() throws IOException {
        ListSearchAttributesRequest request = ListSearchAttributesRequest.newBuilder()
                .setNamespace(namespace())
                .build();
        Map<String, IndexedValueType> types = asked(() -> OperatorServiceGrpc.newBlockingStub(connection
                        .stubs()
                        .blockingStub()
                        .getChannel()) // not the raw channel: the API key goes with this one only
                .withDeadlineAfter(PATIENCE)
                .listSearchAttributes(request)
                .getCustomAttributesMap());
        Map<String, String> spelled = new LinkedHashMap<>();
        types.forEach((name, type) -> spelled.put(name, SearchAttributes.spelled(type)));
        return spelled;
    }

    /** The hosts whose workers open runs, by name; as far as the service has heard of them in the last minute. */
    public List<WorkingHost> hosts() throws IOException {
        List<String> names = listening(TaskQueues.CONTROL, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY).stream()
                .map(poller -> poller.getIdentity().replaceFirst("^[^@]*@", ""))
                .distinct()
                .sorted()
                .toList();
        List<WorkingHost> hosts = new ArrayList<>();
        for (String name : names) {
            hosts.add(new WorkingHost(name, isPolled(TaskQueues.alive(name)), isPolled(TaskQueues.train(name))));
        }
        return hosts;
    }

    /** Whether a worker of role {@code host} listens on {@code name}, as far as the service has heard of one in the last minute. */
    boolean isThere(String name) throws IOException {
        return isPolled(TaskQueues.data(name));
    }

    /** Whether some worker takes parts of datasets. */
    public boolean sharesDatasets() throws IOException {
        return isPolled(TaskQueues.SHARED_DATA);
    }

    private boolean isPolled(String queue) throws IOException {
        return !listening(queue, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY).isEmpty();
    }

    private List<PollerInfo> listening(String queue, TaskQueueType type) throws IOException {
        DescribeTaskQueueRequest request = DescribeTaskQueueRequest.newBuilder()
                .setNamespace(namespace())
                .setTaskQueue(TaskQueue.newBuilder().setName(queue))
                .setTaskQueueType(type)
                .build();
        return asked(() ->
                connection
                        .stubs()
                        .blockingStub()
                        .withDeadlineAfter(PATIENCE)
                        .describeTaskQueue(request)
                        .getPollersList()
                        .stream()
                        .filter(poller -> TemporalConnection.isAlive(
                                poller.getIdentity(),
                                Instant.ofEpochSecond(poller.getLastAccessTime().getSeconds())))
                        .toList());
    }

    private <T> T asked(Supplier<T> question) throws IOException {
        try {
            return question.get();
        } catch (StatusRuntimeException e) {
            throw fault(e);
        }
    }

    private IOException fault(StatusRuntimeException e) {
        String said = Optional.ofNullable(e.getStatus().getDescription())
                .orElse(e.getStatus().getCode().name());
        return new IOException(connection.description() + ": " + said, e);
    }
}
