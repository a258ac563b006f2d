package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.temporal.testserver.TestServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.process.Ports;
import pacer.activities.run.BadInputException;
import pacer.trainer.durable.Host;

@Timeout(60)
class TemporalConnectionTest {
    @TempDir
    private Path folder;

    @Test
    void withoutAnAddressTheServiceIsInThisProcess() throws Exception {
        try (TemporalConnection connection = TemporalConnection.open(TemporalAddress.find(null, Map.of()))) {
            assertThat(connection.isEmbedded()).isTrue();
            assertThat(connection.description()).isEqualTo("Temporal: in this process");
        }
    }

    @Test
    void anAddressWhereNothingAnswersIsNamedWithItsOrigin() throws Exception {
        String address = "127.0.0.1:" + Ports.free();
        assertThatThrownBy(() -> TemporalConnection.open(TemporalAddress.find(address, Map.of())))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("no Temporal service answers at " + address + " (from --temporal): ");
    }

    @Test
    void whatIsNoAddressIsRefusedAtOnce() throws Exception {
        for (String address :
                List.of("nonsense", "nonsense:99999", "host:0", "host:", ":7233", "a b:1", "http://x:1")) {
            assertThatThrownBy(() -> TemporalConnection.open(TemporalAddress.find(address, Map.of())))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageStartingWith("--temporal " + address + ": must be HOST:PORT");
            assertThatThrownBy(() ->
                            TemporalConnection.open(TemporalAddress.find(null, Map.of("TEMPORAL_ADDRESS", address))))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageStartingWith("TEMPORAL_ADDRESS " + address);
        }
        for (String address : List.of("a.example:7233", "[::1]:7233", "dns:///temporal:7233")) {
            assertThat(TemporalAddress.find(address, Map.of()).isEmbedded()).isFalse();
        }
    }

    @Test
    void optionThenEnvironmentThenFile() throws Exception {
        int port = Ports.free();
        String address = "127.0.0.1:" + port;
        Path file = Files.writeString(
                folder.resolve("temporal.toml"),
                "[profile.default]\naddress = \"%s\"\nnamespace = \"default\"\n".formatted(address));
        Map<String, String> ofFile = Map.of("TEMPORAL_CONFIG_FILE", file.toString());
        try (TestServer.PortBoundTestServer _ = TestServer.createPortBoundServer(port)) {
            assertThat(description(null, ofFile))
                    .isEqualTo("Temporal: " + address + ", namespace default (temporal.toml)");
            assertThat(description(null, Map.of("TEMPORAL_ADDRESS", address)))
                    .isEqualTo("Temporal: " + address + ", namespace default (TEMPORAL_ADDRESS)");
            assertThat(description(address, Map.of("TEMPORAL_ADDRESS", "nowhere:1")))
                    .isEqualTo("Temporal: " + address + ", namespace default (--temporal)");
        }
    }

    @Test
    void aFileThatSaysNothingNamesNoService() throws Exception {
        Path file = Files.writeString(folder.resolve("temporal.toml"), "# nothing yet\n");
        for (String nothing : new String[] {file.toString(), "/dev/null"}) { // the launcher's own way to say: none
            assertThat(TemporalAddress.find(null, Map.of("TEMPORAL_CONFIG_FILE", nothing))
                            .isEmbedded())
                    .isTrue();
        }
    }

    @Test
    void aFileThatIsNoTomlIsNamed() throws Exception {
        Path file = Files.writeString(folder.resolve("temporal.toml"), "[profile.default\n");
        assertThatThrownBy(() -> TemporalConnection.open(
                        TemporalAddress.find(null, Map.of("TEMPORAL_CONFIG_FILE", file.toString()))))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("temporal.toml: ");
    }

    @Test
    void aFileWithoutAProfileSaysNothing() throws Exception {
        Path file = Files.writeString(folder.resolve("temporal.toml"), "# to be filled in\n");
        Map<String, String> environment = Map.of("TEMPORAL_CONFIG_FILE", file.toString());
        assertThat(TemporalAddress.find(null, environment).isEmbedded()).isTrue();
        Map<String, String> withAddress =
                Map.of("TEMPORAL_CONFIG_FILE", file.toString(), "TEMPORAL_ADDRESS", "127.0.0.1:1");
        assertThat(TemporalAddress.find(null, withAddress).isEmbedded()).isFalse();
    }

    @Test
    void embeddedMeansTheServiceInThisProcessWhateverElseIsConfigured() throws Exception {
        Map<String, String> environment = Map.of("TEMPORAL_ADDRESS", "127.0.0.1:1");
        assertThat(TemporalAddress.find("embedded", environment).isEmbedded()).isTrue();
    }

    @Test
    void workersThatEndedAreNotCounted() throws Exception {
        String host = Host.name();
        Process ended = new ProcessBuilder("true").start();
        ended.waitFor();
        Instant now = Instant.now();

        assertThat(TemporalConnection.isAlive(ProcessHandle.current().pid() + "@" + host, now.minusSeconds(300)))
                .isTrue();
        assertThat(TemporalConnection.isAlive(ended.pid() + "@" + host, now)).isFalse();
        assertThat(TemporalConnection.isAlive(ended.pid() + "@elsewhere", now)).isTrue();
        assertThat(TemporalConnection.isAlive(ended.pid() + "@elsewhere", now.minusSeconds(300)))
                .isFalse();
        assertThat(TemporalConnection.isAlive("worker of a fleet", now)).isTrue();
    }

    private static String description(String address, Map<String, String> environment) throws IOException {
        try (TemporalConnection connection = TemporalConnection.open(TemporalAddress.find(address, environment))) {
            return connection.description();
        }
    }
}
