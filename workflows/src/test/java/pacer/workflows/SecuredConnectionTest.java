package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.Home;
import pacer.activities.run.RunStatus;
import pacer.activities.run.TestRuns;

/** A Temporal service that wants TLS, a client's certificate and an API key, as one elsewhere does. */
@Timeout(120)
class SecuredConnectionTest {
    private static final String KEY = "an-api-key-that-nobody-prints";

    @RegisterExtension
    static final TemporalServer SERVER = new TemporalServer();

    @TempDir
    private Path folder;

    private SecuredTemporal secured;
    private Map<String, String> environment;

    @BeforeEach
    void begin() throws Exception {
        secured = new SecuredTemporal(SERVER.address(), KEY, folder);
        environment = new HashMap<>(Map.of(
                "TEMPORAL_ADDRESS",
                secured.address(),
                "TEMPORAL_API_KEY",
                KEY,
                "TEMPORAL_TLS_SERVER_CA_CERT_PATH",
                SecuredTemporal.certificate(folder, "server").toString(),
                "TEMPORAL_TLS_CLIENT_CERT_PATH",
                SecuredTemporal.certificate(folder, "client").toString(),
                "TEMPORAL_TLS_CLIENT_KEY_PATH",
                SecuredTemporal.key(folder, "client").toString()));
    }

    @AfterEach
    void end() throws Exception {
        secured.close();
    }

    private TemporalConnection connect() throws IOException {
        return TemporalConnection.open(TemporalAddress.find(null, environment));
    }

    /** Every call, also those that do not go by the SDK's own stubs. */
    private void assertWorks(TemporalConnection connection) throws Exception {
        Home home = TestRuns.home(folder);
        Path text = TestRuns.text(folder.resolve("text.txt"), 20);
        boolean _ = connection.isWorkedOn(); // answered; by this process too, where a test before this one worked in it
        assertThat(Searchable.of(connection, _ -> {}).now()).isTrue();
        try (Pipeline pipeline = Pipeline.with(
                home, connection, TestPipelines.settings(home), EnumSet.allOf(ServiceWorker.Role.class))) {
            RunHandle run = pipeline.start(TestPipelines.layers(text), null, null, true);
            assertThat(run.result().status()).isEqualTo(RunStatus.FINISHED);
            assertThat(SERVER.temporal("workflow", "show", "-w", run.id(), "-o", "json"))
                    .contains("PacerVerdict")
                    .doesNotContain(KEY);
        }
        assertThat(secured.refused).isEmpty();
        assertThat(secured.admitted)
                .contains(
                        "temporal.api.workflowservice.v1.WorkflowService/StartWorkflowExecution",
                        "temporal.api.workflowservice.v1.WorkflowService/PollActivityTaskQueue",
                        "temporal.api.operatorservice.v1.OperatorService/ListSearchAttributes");
    }

    @Test
    void aRunGoesByVariables() throws Exception {
        TemporalConnection connection = connect();
        assertThat(connection.description())
                .isEqualTo("Temporal: " + secured.address() + ", namespace default (TEMPORAL_ADDRESS)");
        assertWorks(connection);
    }

    @Test
    void aRunGoesByAProfileOfTheFile() throws Exception {
        Path file = Files.writeString(folder.resolve("temporal.toml"), """
                [profile.default]
                address = "127.0.0.1:1"
                [profile.team]
                address = "%s"
                namespace = "default"
                api_key = "%s"
                [profile.team.tls]
                server_ca_cert_path = "%s"
                client_cert_path = "%s"
                client_key_path = "%s"
                """.formatted(
                        secured.address(),
                        KEY,
                        SecuredTemporal.certificate(folder, "server"),
                        SecuredTemporal.certificate(folder, "client"),
                        SecuredTemporal.key(folder, "client")));
        environment = Map.of("TEMPORAL_CONFIG_FILE", file.toString(), "TEMPORAL_PROFILE", "team");
        TemporalConnection connection = connect();
        assertThat(connection.description()).endsWith("namespace default (temporal.toml)");
        assertWorks(connection);
    }

    /** A schedule's calls go by stubs of their own. */
    @Test
    void schedulesGoByItToo() throws Exception {
        Home home = TestRuns.home(folder);
        try (Schedules schedules = Schedules.at(new PipelineOptions(home, null, environment))) {
            assertThat(schedules.list()).isEmpty();
        }
        assertThat(secured.refused).isEmpty();
    }

    @Test
    void aWrongKeyIsSaidInALineThatDoesNotShowIt() {
        environment.put("TEMPORAL_API_KEY", "some-other-key");
        assertThatThrownBy(this::connect)
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith(
                        "no Temporal service answers at " + secured.address() + " (from TEMPORAL_ADDRESS): ")
                .hasMessageContaining("Request unauthorized")
                .hasMessageNotContaining("some-other-key");
        assertThat(secured.admitted).isEmpty();
    }

    @Test
    void aServiceWhoseCertificateNobodyVouchesForIsNotSpokenTo() {
        environment.put(
                "TEMPORAL_TLS_SERVER_CA_CERT_PATH",
                SecuredTemporal.certificate(folder, "client").toString());
        assertThatThrownBy(this::connect)
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("no Temporal service answers at ");
        assertThat(secured.admitted).isEmpty();
        assertThat(secured.refused).isEmpty();
    }

    @Test
    void aCertificateThatIsNotThereIsNamed() {
        environment.put(
                "TEMPORAL_TLS_CLIENT_CERT_PATH", folder.resolve("none.pem").toString());
        assertThatThrownBy(this::connect).isInstanceOf(IOException.class).hasMessageContaining("none.pem");
    }
}
