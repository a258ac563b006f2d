package pacer.workflows;

import com.google.protobuf.Duration;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.temporal.api.namespace.v1.NamespaceConfig;
import io.temporal.api.workflowservice.v1.UpdateNamespaceRequest;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import pacer.workflows.stack.StackEnvironment;

/** How long a namespace keeps the histories of workflows that are over. */
public final class Retention {
    /** As long as the local stack keeps metrics: a development server keeps histories for a day, so lists of weeks would lose their runs. */
    public static final java.time.Duration OF_THE_STACK = java.time.Duration.ofDays(90);

    /** The server answers a moment before its namespace is there. */
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(20);

    private static final long LOOK_MILLIS = 200;

    private Retention() {}

    /**
     * Has the namespace {@code default} of a server of this machine keep histories for at least {@code wanted}; one that keeps them longer is left as it is.
     *
     * @param address host and port; what the environment names is not looked at, as it may be somebody else's
     * @throws IOException when it does not answer, or refuses
     */
    public static void extend(String address, java.time.Duration wanted) throws IOException, InterruptedException {
        TemporalAddress here = TemporalAddress.find(address, Map.of("TEMPORAL_CONFIG_FILE", StackEnvironment.NO_FILE));
        try (TemporalConnection connection = TemporalConnection.open(here)) {
            TemporalSurvey survey = connection.survey();
            long deadline = System.nanoTime() + PATIENCE;
            Optional<java.time.Duration> now = survey.retention();
            while (now.isEmpty() && System.nanoTime() < deadline) {
                Thread.sleep(LOOK_MILLIS);
                now = survey.retention();
            }
            if (now.isEmpty() || now.get().compareTo(wanted) < 0) {
                update(connection, wanted);
            }
        }
    }

    private static void update(TemporalConnection connection, java.time.Duration wanted) throws IOException {
        UpdateNamespaceRequest request = UpdateNamespaceRequest.newBuilder()
                .setNamespace(connection.namespace())
                .setConfig(NamespaceConfig.newBuilder()
                        .setWorkflowExecutionRetentionTtl(Duration.newBuilder().setSeconds(wanted.toSeconds())))
                .build();
        try {
            var _ = connection.stubs().blockingStub().updateNamespace(request);
        } catch (StatusRuntimeException e) {
            Status status = e.getStatus();
            throw new IOException(
                    "%s: histories cannot be kept for %d days: %s"
                            .formatted(
                                    connection.description(),
                                    wanted.toDays(),
                                    Optional.ofNullable(status.getDescription())
                                            .orElse(status.getCode().name())),
                    e);
        }
    }
}
