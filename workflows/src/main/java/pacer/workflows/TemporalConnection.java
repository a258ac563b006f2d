package pacer.workflows;

import com.uber.m3.tally.Scope;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.temporal.api.enums.v1.TaskQueueType;
import io.temporal.api.taskqueue.v1.TaskQueue;
import io.temporal.api.workflowservice.v1.DescribeTaskQueueRequest;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowClientOptions;
import io.temporal.common.converter.DataConverter;
import io.temporal.common.converter.DefaultDataConverter;
import io.temporal.common.converter.JacksonJsonPayloadConverter;
import io.temporal.envconfig.ClientConfigProfile;
import io.temporal.envconfig.LoadClientConfigProfileOptions;
import io.temporal.serviceclient.WorkflowServiceStubs;
import io.temporal.serviceclient.WorkflowServiceStubsOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import pacer.activities.run.BadInputException;
import pacer.activities.run.RunJson;
import pacer.trainer.durable.Host;
import pacer.workflows.stack.StackEnvironment;

/** A connection to a Temporal service: the one at an address, where one is given, else one inside this process. */
public final class TemporalConnection implements AutoCloseable {
    /** The address that means the service inside this process, whatever else is configured. */
    public static final String EMBEDDED = "embedded";

    private static final Pattern HOST_AND_PORT =
            Pattern.compile("(?:[a-z]+:///)?(?:[A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.%]+]):([0-9]{1,5})");

    /** Held here: a logger that nobody holds forgets its level. */
    private static final Logger GRPC = Logger.getLogger("io.grpc");

    private static final Duration PATIENCE = Duration.ofSeconds(5);

    /** A worker that waits for work is heard of once a minute. */
    private static final Duration LONG_POLL = Duration.ofSeconds(70);

    private final WorkflowServiceStubs stubs;
    private final WorkflowClient client;
    private final EmbeddedTemporal embedded;
    private final String description;

    private TemporalConnection(
            WorkflowServiceStubs stubs,
            WorkflowClientOptions.Builder options,
            EmbeddedTemporal embedded,
            String description) {
        this.stubs = stubs;
        this.client = WorkflowClient.newInstance(
                stubs, options.setDataConverter(converter()).build());
        this.embedded = embedded;
        this.description = description;
    }

    /**
     * Connects.
     *
     * @param address host and port, or {@link #EMBEDDED}; null looks at {@code TEMPORAL_ADDRESS} and {@code temporal.toml}, and
     *     takes the embedded service where those name none either
     * @throws BadInputException when the address is none
     * @throws IOException in one line for people, when nothing answers at the address or the configuration is wrong
     */
    public static TemporalConnection open(String address, Map<String, String> environment) throws IOException {
        return open(address, environment, Optional.empty());
    }

    /** The same with the SDK's meters, those of a service elsewhere, in {@code metrics}. */
    static TemporalConnection open(String address, Map<String, String> environment, Optional<Scope> metrics)
            throws IOException {
        Optional<ClientConfigProfile> profile = profile(address, environment);
        if (profile.isEmpty()) {
            return embedded();
        }
        return remote(profile.get(), address != null ? "--temporal" : origin(environment), metrics);
    }

    private static String origin(Map<String, String> environment) {
        return environment.containsKey("TEMPORAL_ADDRESS")
                ? environment.getOrDefault(StackEnvironment.ORIGIN, "TEMPORAL_ADDRESS")
                : "temporal.toml";
    }

    /** {@code address}, which gRPC would take in any form, to complain of it seconds later. */
    private static String checked(String address, String origin) {
        Matcher parts = HOST_AND_PORT.matcher(address);
        if (!parts.matches() || Integer.parseInt(parts.group(1)) < 1 || Integer.parseInt(parts.group(1)) > 65_535) {
            throw new BadInputException(
                    "%s %s: must be HOST:PORT with a port from 1 to 65535, such as localhost:7233, or %s"
                            .formatted(origin, address, EMBEDDED));
        }
        return address;
    }

    /** Whether {@link #open} would take the service inside this process. */
    public static boolean opensEmbedded(String address, Map<String, String> environment) throws IOException {
        return profile(address, environment).isEmpty();
    }

    /** How to reach a service; empty where no address is named. */
    private static Optional<ClientConfigProfile> profile(String address, Map<String, String> environment)
            throws IOException {
        if (EMBEDDED.equals(address)) {
            return Optional.empty();
        }
        Optional<ClientConfigProfile> profile = configured(environment);
        if (address != null) {
            ClientConfigProfile given = profile.orElse(ClientConfigProfile.getDefaultInstance());
            return Optional.of(
                    given.toBuilder().setAddress(checked(address, "--temporal")).build());
        }
        Optional<ClientConfigProfile> named = profile.filter(p -> given(p.getAddress()));
        named.ifPresent(p -> checked(p.getAddress(), origin(environment)));
        return named;
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
        return new TemporalConnection(stubs, options, service, "Temporal: in this process");
    }

    private static TemporalConnection remote(ClientConfigProfile profile, String why, Optional<Scope> metrics)
            throws IOException {
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
        String namespace = given(profile.getNamespace()) ? profile.getNamespace() : "default";
        return new TemporalConnection(
                stubs,
                options,
                null,
                "Temporal: %s, namespace %s (%s)".formatted(profile.getAddress(), namespace, why));
    }

    private static ClientConfigProfile load(Map<String, String> environment, boolean withoutFile) throws IOException {
        return ClientConfigProfile.load(LoadClientConfigProfileOptions.newBuilder()
                .setEnvOverrides(environment)
                .setDisableFile(withoutFile)
                .build());
    }

    private static Optional<ClientConfigProfile> configured(Map<String, String> environment) throws IOException {
        boolean mentioned = environment.keySet().stream().anyMatch(name -> name.startsWith("TEMPORAL_"));
        if (!mentioned && usualFiles(environment).noneMatch(Files::exists)) {
            return Optional.empty(); // the parser's start is not for nothing
        }
        try {
            return Optional.of(load(environment, false));
        } catch (NullPointerException e) {
            // so the SDK's parser fails (1.38) of a file without a profile: one that says nothing
            return Optional.of(load(environment, true));
        } catch (IOException | IllegalArgumentException e) {
            throw new IOException("temporal.toml: " + e.getMessage(), e);
        }
    }

    private static Stream<Path> usualFiles(Map<String, String> environment) {
        Path home = Path.of(System.getProperty("user.home"));
        return Stream.of(
                home.resolve(".config/temporalio/temporal.toml"),
                home.resolve("Library/Application Support/temporalio/temporal.toml"),
                Path.of(environment.getOrDefault("APPDATA", "."), "temporalio", "temporal.toml"));
    }

    /** JSON as in run folders: records whose fields may grow. */
    static DataConverter converter() {
        return DefaultDataConverter.newDefaultInstance()
                .withPayloadConverterOverrides(new JacksonJsonPayloadConverter(RunJson.MAPPER));
    }

    /** One line for people: which service, and why that one. */
    public String description() {
        return description;
    }

    public boolean isEmbedded() {
        return embedded != null;
    }

    WorkflowClient client() {
        return client;
    }

    /**
     * Whether some worker asks for workflow tasks on the queue {@code name}, as far as the service tells. It remembers workers
     * for minutes after their end: those that ended on this machine are not counted, nor those long silent.
     */
    boolean hasWorkers(String name) throws IOException {
        DescribeTaskQueueRequest request = DescribeTaskQueueRequest.newBuilder()
                .setNamespace(client.getOptions().getNamespace())
                .setTaskQueue(TaskQueue.newBuilder().setName(name))
                .setTaskQueueType(TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW)
                .build();
        try {
            return stubs.blockingStub().describeTaskQueue(request).getPollersList().stream()
                    .anyMatch(poller -> isAlive(
                            poller.getIdentity(),
                            Instant.ofEpochSecond(poller.getLastAccessTime().getSeconds())));
        } catch (StatusRuntimeException e) {
            if (e.getStatus().getCode() == Status.Code.UNIMPLEMENTED) {
                return false;
            }
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

    private static boolean given(String text) {
        return text != null && !text.isBlank();
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
