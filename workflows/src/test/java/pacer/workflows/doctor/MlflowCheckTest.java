package pacer.workflows.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import pacer.activities.process.Ports;
import pacer.activities.tracking.MlflowForTests;
import pacer.trainer.durable.DurableFiles;

/** A real MLflow, with one thing wrong at a time. */
@Timeout(180)
class MlflowCheckTest {
    @RegisterExtension
    static final MlflowForTests SERVER = new MlflowForTests();

    private static List<Finding> findings(String address, String experiment) throws InterruptedException {
        return new MlflowCheck(Map.of("MLFLOW_TRACKING_URI", address, "MLFLOW_EXPERIMENT_NAME", experiment)).findings();
    }

    private static List<Finding> findings(String experiment) throws InterruptedException {
        return findings(SERVER.uri().toString(), experiment);
    }

    @Test
    void aServerThatTakesRunsAndArtifactsHasNothingWrong() throws Exception {
        List<Finding> findings = findings("pacer");
        Found.nothingWrong(findings);
        Found.good(findings, "mlflow", "version " + Tested.MLFLOW.version());
        Found.good(findings, "mlflow", "experiment pacer can be read and written");
        Found.good(findings, "artifacts", "mlflow-artifacts:/");
        try (var files = Files.walk(SERVER.artifacts())) {
            assertThat(files.filter(Files::isRegularFile))
                    .as("what was put is deleted")
                    .isEmpty();
        }
    }

    @Test
    void anArtifactStoreThatTakesNothingIsSaid() throws Exception {
        Found.nothingWrong(findings("pacer"));
        DurableFiles.deleteTree(SERVER.artifacts());
        Files.writeString(SERVER.artifacts(), "no folder");
        try {
            List<Finding> findings = findings("pacer");
            Found.good(findings, "mlflow", "can be read and written");
            assertThat(Found.bad(findings, "artifacts", "answered artifact").remedy())
                    .contains("--artifacts-destination");
        } finally {
            Files.delete(SERVER.artifacts());
        }
    }

    @Test
    void anExperimentThatWasDeletedCannotBeWritten() throws Exception {
        Found.nothingWrong(findings("gone"));
        String id = SERVER.get("experiments/get-by-name", "experiment_name", "gone")
                .path("experiment")
                .path("experiment_id")
                .asText();
        var _ = SERVER.post("experiments/delete", Map.of("experiment_id", id));
        Finding finding = Found.bad(findings("gone"), "mlflow", "is deleted");
        assertThat(finding.text()).contains("MLFLOW_EXPERIMENT_NAME");
    }

    @Test
    void aServerThatIsNotThereAndAnAddressThatIsNoneAreSaid() throws Exception {
        Found.bad(findings("http://127.0.0.1:" + free(), "pacer"), "mlflow", "gives no answer");
        Found.bad(findings("127.0.0.1:5000", "pacer"), "mlflow", "must be http://HOST:PORT");
    }

    private static int free() throws IOException {
        return Ports.free();
    }
}
