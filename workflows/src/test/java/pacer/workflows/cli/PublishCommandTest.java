package pacer.workflows.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.Home;
import pacer.activities.run.RunEnding;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunHub;
import pacer.activities.run.RunJson;
import pacer.activities.run.RunStatus;
import pacer.activities.run.TestRuns;
import pacer.activities.store.S3Server;
import pacer.activities.tracking.EventsForTests;
import pacer.activities.tracking.MlflowForTests;

class PublishCommandTest {
    @RegisterExtension
    static final MlflowForTests MLFLOW = new MlflowForTests();

    @RegisterExtension
    static final S3Server STORE = new S3Server();

    @TempDir
    private Path place;

    private final Screen screen = new Screen();
    private final Map<String, String> environment = new HashMap<>();
    private RunFolder folder;

    @BeforeEach
    void prepare() throws IOException {
        Home home = TestRuns.home(place);
        folder = home.run(TestRuns.open(home, new RunHub(), TestRuns.text(place.resolve("text.txt"), 1))
                .run());
        new EventsForTests(folder).launch(1, 20);
        environment.put("PACER_RUNS", home.runs().toString());
        environment.put("MLFLOW_TRACKING_URI", MLFLOW.uri().toString());
        environment.put("MLFLOW_EXPERIMENT_NAME", "by command");
    }

    private int publish(String... more) {
        String[] arguments = new String[1 + more.length];
        arguments[0] = "publish";
        System.arraycopy(more, 0, arguments, 1, more.length);
        return Pacer.run(arguments, screen.console(environment));
    }

    @Test
    void aRunIsSentAndItsPageNamed() throws Exception {
        assertThat(publish()).as(screen.errors()).isEqualTo(Exit.OK);
        assertThat(screen.raw())
                .contains(folder.id() + ": 102 points sent; it has not ended, so this is what there is so far\n")
                .contains(MLFLOW.uri() + "/#/experiments/");

        TestRuns.runs(TestRuns.home(place), new RunHub()).close(new RunEnding(folder.id(), RunStatus.FAILED, "why"));
        Screen json = new Screen();
        assertThat(Pacer.run(new String[] {"publish", folder.id(), "-o", "json"}, json.console(environment)))
                .isEqualTo(Exit.OK);
        JsonNode told = RunJson.MAPPER.readTree(json.raw());
        assertThat(told.path("run").asText()).isEqualTo(folder.id());
        assertThat(told.path("points").asLong()).isZero();
        assertThat(screen.raw()).contains(told.path("url").asText());
        assertThat(MLFLOW.runs(folder.id())).hasSize(1);
    }

    @Test
    void aRunGoesToTheStoreThatIsNamed() throws Exception {
        environment.remove("MLFLOW_TRACKING_URI");
        environment.putAll(S3Server.environment(STORE.uri(), "published"));
        assertThat(publish()).as(screen.errors()).isEqualTo(Exit.OK);
        assertThat(screen.raw()).contains("has its checkpoints and its record");
        assertThat(STORE.file("published/runs/" + folder.id() + "/run.json"))
                .hasSameBinaryContentAs(folder.recordFile());
        environment.put("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9");
        assertThat(publish()).isEqualTo(Exit.FAILED);
        assertThat(screen.raw()).contains("does not have all of it");
    }

    @Test
    void withoutAServerItSaysWhatToSet() {
        environment.remove("MLFLOW_TRACKING_URI");
        assertThat(publish()).isEqualTo(Exit.USAGE);
        assertThat(screen.errors()).contains("set MLFLOW_TRACKING_URI to its address");
    }

    @Test
    void aServerThatIsDownIsWorthAnotherAttempt() {
        environment.put("MLFLOW_TRACKING_URI", "http://127.0.0.1:9");
        assertThat(publish()).isEqualTo(Exit.FAILED);
        assertThat(screen.errors()).contains("MLflow at http://127.0.0.1:9 gives no answer");
    }

    @Test
    void anAddressThatIsNoneIsRefused() {
        environment.put("MLFLOW_TRACKING_URI", "mlruns");
        assertThat(publish()).isEqualTo(Exit.USAGE);
        assertThat(screen.errors()).contains("MLFLOW_TRACKING_URI=mlruns: must be http://HOST:PORT");
    }
}
