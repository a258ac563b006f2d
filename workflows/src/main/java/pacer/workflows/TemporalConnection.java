package pacer.workflows;

import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import com.uber.m3.tally.Scope;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.temporal.api.enums.v1.TaskQueueType;
import io.temporal.api.taskqueue.v1.TaskQueue;
import io.temporal.api.workflowservice.v1.DescribeTaskQueueRequest;
import io.temporal.api.workflowservice.v1.SetWorkerDeploymentCurrentVersionRequest;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowClientOptions;
import io.temporal.client.schedules.ScheduleClient;
import io.temporal.client.schedules.ScheduleClientOptions;
import io.temporal.common.converter.CodecDataConverter;
import io.temporal.common.converter.DataConverter;
import io.temporal.common.converter.DefaultDataConverter;
import io.temporal.common.converter.JacksonJsonPayloadConverter;
import io.temporal.envconfig.ClientConfigProfile;
import io.temporal.serviceclient.WorkflowServiceStubs;
import io.temporal.serviceclient.WorkflowServiceStubsOptions;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.regex.Pattern;
import pacer.activities.run.BadInputException;
import pacer.activities.run.RunJson;
import pacer.trainer.durable.Host;
import pacer.workflows.codec.PayloadEncryption;
import pacer.workflows.codec.PayloadKeys;

/** A connection to a Temporal service: the one at an address, where one is given, else one inside this process. */
public final class TemporalConnection implements AutoCloseable {
    /** Held here: a logger that nobody holds forgets its level. */
    private static final Logger GRPC = Logger.getLogger("io.grpc");

    private static final long LOOK_MILLIS = 200;

    private static final Duration PATIENCE = Duration.ofSeconds(5);

    /** A worker that waits for work is heard of once a minute. */
    private static final Duration LONG_POLL = Duration.ofSeconds(70);

    private final WorkflowServiceStubs stubs;
    private final WorkflowClient client;
    private final EmbeddedTemporal embedded;
    private final String description;
    private final PayloadEncryption encryption;

    private TemporalConnection(
            WorkflowServiceStubs stubs,
            WorkflowClientOptions.Builder options,
            EmbeddedTemporal embedded,
            PayloadKeys keys,
            String description) {
        this.stubs = stubs;
        this.encryption = new PayloadEncryption(keys);
        // failures' messages and stack traces as well, where there is a key
        DataConverter converter = new CodecDataConverter(converter(), List.of(encryption), !keys.isEmpty());
        this.client = WorkflowClient.newInstance(
                stubs, options.setDataConverter(converter).build());
        this.embedded = embedded;
        this.description = description;
    }

    /**
     * Connects.
     *
     * @throws IOException in one line for people, when nothing answers at the address
     */
    public static TemporalConnection open(TemporalAddress address) throws IOException {
        return open(address, Optional.empty());
    }

    /** The same with the SDK's meters, those of a service elsewhere, in {@code metrics}. */
    static TemporalConnection open(TemporalAddress address, Optional<Scope> metrics) throws IOException {
        return address.isEmbedded() ? embedded() : remote(address, metrics);
    }

    /** A service inside this process. */
    public static TemporalConnection embedded() {
        EmbeddedTemporal service = new EmbeddedTemporal();
        WorkflowServiceStubs stubs = WorkflowServiceStubs.newServiceStubs(WorkflowServiceStubsOptions.newBuilder()
                .setChannel(service.channel())
                .build());
        // this service does not know worker heartbeats
        WorkflowClientOptions.Builder options =
                WorkflowClientOptions.newBuilder().setWorkerHeartbeatInterval(Duration.ofSeconds(-1));
        return new TemporalConnection(stubs, options, service, PayloadKeys.none(), "Temporal: in this process");
    }

    private static TemporalConnection remote(TemporalAddress address, Optional<Scope> metrics) throws IOException {
        ClientConfigProfile profile = address.profile();
        String why = address.origin();
        if ("off".equals(System.getProperty("org.slf4j.simpleLogger.defaultLogLevel"))) {
            GRPC.setLevel(Level.OFF); // it logs another way than other libraries, with traces; what matters is thrown
        }
        WorkflowServiceStubs stubs;
        try {
            WorkflowServiceStubsOptions.Builder service =
                    WorkflowServiceStubsOptions.newBuilder(profile.toWorkflowServiceStubsOptions());
            metrics.ifPresent(service::setMetricsScope);
            stubs = WorkflowServiceStubs.newConnectedServiceStubs(service.build(), PATIENCE);
        } catch (RuntimeException e) {
            // the SDK wraps whatever gRPC, TLS or name resolution say
            throw new IOException(
                    "no Temporal service answers at " + profile.getAddress() + " (from " + why + "): " + rootCause(e),
                    e);
        }
        WorkflowClientOptions.Builder options = WorkflowClientOptions.newBuilder(profile.toWorkflowClientOptions());
        options.setIdentity(ProcessHandle.current().pid() + "@" + Host.name());
        String namespace =
                profile.getNamespace() == null || profile.getNamespace().isBlank() ? "default" : profile.getNamespace();
        return new TemporalConnection(
                stubs,
                options,
                null,
                address.keys(),
                "Temporal: %s, namespace %s (%s)".formatted(profile.getAddress(), namespace, why)
                        + address.keys()
                                .current()
                                .map(id -> ", payloads encrypted with key " + id)
                                .orElse(""));
    }

    /** JSON as in run folders: records whose fields may grow. The SDK puts what it encrypts of a failure into an Optional. */
    static DataConverter converter() {
        return DefaultDataConverter.newDefaultInstance()
                .withPayloadConverterOverrides(new JacksonJsonPayloadConverter(
                        RunJson.MAPPER.rebuild().addModule(new Jdk8Module()).build()));
    }

    /** One line for people: which service, and why that one. */
    public String description() {
        return description;
    }

    public boolean isEmbedded() {
        return embedded != null;
    }

    /** Has {@code listener} hear, once each, why payloads could not be read. */
    void onUnreadable(Consumer<String> listener) {
        encryption.onUnreadable(listener);
    }

    WorkflowClient client() {
        return client;
    }

    /** In which workflows of this connection are. */
    String namespace() {
        return client().getOptions().getNamespace();
    }

    /** Schedules of the namespace; a service inside this process has none. */
    ScheduleClient schedules() {
        return ScheduleClient.newInstance(
                stubs,
                ScheduleClientOptions.newBuilder()
                        .setNamespace(client.getOptions().getNamespace())
                        .setDataConverter(client.getOptions().getDataConverter())
                        .build());
    }

    /**
     * Whether some worker takes runs, as far as the service tells. It remembers workers
     * for minutes after their end: those that ended on this machine are not counted, nor those long silent.
     */
    public boolean isWorkedOn() throws IOException {
        return controlQueue().isWorkedOn();
    }

    /** To which version of workers runs are given; empty where to those without. */
    public Optional<Deployment> currentVersion() throws IOException {
        return controlQueue().current();
    }

    /** Who listens for runs; a service that does not tell, as the one inside this process, has nobody. */
    private ControlQueue controlQueue() throws IOException {
        DescribeTaskQueueRequest request = DescribeTaskQueueRequest.newBuilder()
                .setNamespace(client.getOptions().getNamespace())
                .setTaskQueue(TaskQueue.newBuilder().setName(TaskQueues.CONTROL))
                .setTaskQueueType(TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW)
                .build();
        try {
            return ControlQueue.of(stubs.blockingStub().describeTaskQueue(request));
        } catch (StatusRuntimeException e) {
            if (e.getStatus().getCode() == Status.Code.UNIMPLEMENTED) {
                return new ControlQueue(Optional.empty(), List.of());
            }
            throw new IOException(description + ": " + e.getStatus().getDescription(), e);
        }
    }

    /**
     * Has the service give all runs to {@code version} from now on, those at work too.
     *
     * @param patience for a worker of it to be heard of
     * @return which one it was before; empty for workers without a version
     * @throws BadInputException when no worker of that version listens
     */
    public Optional<Deployment> makeCurrent(Deployment version, Duration patience)
            throws IOException, InterruptedException {
        Optional<Deployment> before = currentVersion();
        SetWorkerDeploymentCurrentVersionRequest request = SetWorkerDeploymentCurrentVersionRequest.newBuilder()
                .setNamespace(client.getOptions().getNamespace())
                .setDeploymentName(version.name())
                .setBuildId(version.buildId())
                .setIdentity(client.getOptions().getIdentity())
                .build();
        long deadline = System.nanoTime() + patience.toNanos();
        while (true) {
            try {
                var _ = stubs.blockingStub().setWorkerDeploymentCurrentVersion(request);
                return before;
            } catch (StatusRuntimeException e) {
                // not heard of, or not yet of all its queues
                boolean missing = e.getStatus().getCode() == Status.Code.NOT_FOUND
                        || e.getStatus().getCode() == Status.Code.FAILED_PRECONDITION;
                if (!missing) {
                    throw new IOException(description + ": " + e.getStatus().getDescription(), e);
                }
                if (System.nanoTime() > deadline) {
                    throw new BadInputException(
                            version + " was not made current: " + e.getStatus().getDescription()
                                    + "; start a worker of role control with that version first",
                            e);
                }
            }
            Thread.sleep(LOOK_MILLIS);
        }
    }

    /** Asks the service, which is one elsewhere, about itself. */
    public TemporalSurvey survey() {
        return new TemporalSurvey(this);
    }

    WorkflowServiceStubs stubs() {
        return stubs;
    }

    /**
     * Names of the hosts that ask the service for work that any can do, which are those with a store; in order.
     *
     * @throws BadInputException where the service is the one inside this process
     */
    List<String> hosts() throws IOException {
        if (embedded != null) {
            throw new BadInputException(
                    "train.hosts: several hosts train by workers of a Temporal service that all of them reach, which this run has not: start one (pacer up), and a worker on each host (pacer worker)");
        }
        return hosts(TaskQueues.SHARED_DATA);
    }

    /** How many hosts train, as far as the service tells; 1 at least. */
    int slots() throws IOException {
        return embedded != null ? 1 : Math.max(1, hosts(TaskQueues.CONTROL).size()); // runs are opened by who trains
    }

    private List<String> hosts(String queue) throws IOException {
        DescribeTaskQueueRequest request = DescribeTaskQueueRequest.newBuilder()
                .setNamespace(client.getOptions().getNamespace())
                .setTaskQueue(TaskQueue.newBuilder().setName(queue))
                .setTaskQueueType(TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY)
                .build();
        try {
            return stubs.blockingStub().describeTaskQueue(request).getPollersList().stream()
                    .filter(poller -> isAlive(
                            poller.getIdentity(),
                            Instant.ofEpochSecond(poller.getLastAccessTime().getSeconds())))
                    .map(poller -> poller.getIdentity().replaceFirst("^[^@]*@", ""))
                    .distinct()
                    .sorted()
                    .toList();
        } catch (StatusRuntimeException e) {
            throw new IOException(description + ": " + e.getStatus().getDescription(), e);
        }
    }

    /** The SDK's identity of a worker is {@code pid@host}. */
    static boolean isAlive(String identity, Instant lastHeard) {
        boolean here = identity.matches("\\d{1,18}@" + Pattern.quote(Host.name()));
        return here
                ? ProcessHandle.of(Long.parseLong(identity.substring(0, identity.indexOf('@'))))
                        .filter(ProcessHandle::isAlive)
                        .isPresent()
                : lastHeard.isAfter(Instant.now().minus(LONG_POLL));
    }

    private static String rootCause(Throwable e) {
        Throwable cause = e;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return String.valueOf(cause.getMessage());
    }

    @Override
    public void close() {
        stubs.shutdownNow();
        if (embedded != null) {
            embedded.close();
        }
    }
}
