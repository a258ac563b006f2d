package pacer.workflows.stack;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.workflows.TemporalAddress;

class StackEnvironmentTest {
    private static final Map<String, String> ELSEWHERE = Map.of(
            "TEMPORAL_API_KEY", "key",
            "TEMPORAL_TLS_CLIENT_KEY_PATH", "client.key",
            "TEMPORAL_GRPC_META_TEAM", "a",
            "MLFLOW_TRACKING_PASSWORD", "password",
            "PACER_MLFLOW_UI", "https://ml.example.com",
            "AWS_SECRET_ACCESS_KEY", "secret");

    @TempDir
    private Path folder;

    private final Map<String, String> stack = StackEnvironment.of(StackState.fresh());

    /** Else the password of a server elsewhere would be sent to this one. */
    @Test
    void whatIsForServersElsewhereIsNotForTheStacks() {
        Map<String, String> all = StackEnvironment.added(ELSEWHERE, stack);
        assertThat(all).containsAllEntriesOf(stack);
        assertThat(all)
                .doesNotContainKeys(
                        "TEMPORAL_API_KEY",
                        "TEMPORAL_TLS_CLIENT_KEY_PATH",
                        "TEMPORAL_GRPC_META_TEAM",
                        "MLFLOW_TRACKING_PASSWORD",
                        "PACER_MLFLOW_UI");

        Map<String, String> own = new HashMap<>(ELSEWHERE);
        StackEnvironment.removeFrom(own);
        assertThat(own).isEmpty();
    }

    @Test
    void whatTheUserNamedStandsWithAllThatBelongsToIt() {
        for (String name : new String[] {"TEMPORAL_ADDRESS", "TEMPORAL_PROFILE", "TEMPORAL_CONFIG_FILE"}) {
            Map<String, String> user = new HashMap<>(ELSEWHERE);
            user.put(name, "mine");
            Map<String, String> all = StackEnvironment.added(user, stack);
            assertThat(all)
                    .containsEntry(name, "mine")
                    .containsEntry("TEMPORAL_API_KEY", "key")
                    .doesNotContainKey(StackEnvironment.ORIGIN)
                    .containsEntry("MLFLOW_TRACKING_URI", stack.get("MLFLOW_TRACKING_URI"));
        }
    }

    /** It wants TLS; the stack's Temporal has none. */
    @Test
    void aTemporalTomlOfAServiceElsewhereIsNotReadForTheStacks() throws Exception {
        Path file =
                Files.createDirectories(folder.resolve(".config/temporalio")).resolve("temporal.toml");
        Files.writeString(file, "[profile.default]\naddress = \"else.example:7233\"\napi_key = \"key\"\n");
        Map<String, String> user = Map.of("HOME", folder.toString());
        assertThat(TemporalAddress.find(null, user).isEmbedded())
                .as("it is found")
                .isFalse();

        assertThat(TemporalAddress.find(null, StackEnvironment.added(user, stack)))
                .hasToString("127.0.0.1:7233 (pacer up)");
    }
}
