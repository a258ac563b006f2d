package pacer.workflows.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class TestedTest {
    @Test
    void versionsAreComparedByTheirNumbers() {
        assertThat(Tested.MLFLOW.olderThanThis("3.17.1")).isPresent();
        assertThat(Tested.MLFLOW.olderThanThis("3.9.0")).isPresent();
        assertThat(Tested.MLFLOW.olderThanThis("2.22")).isPresent();
        assertThat(Tested.MLFLOW.olderThanThis("3.17.2")).isEmpty();
        assertThat(Tested.MLFLOW.olderThanThis("3.18.0rc1")).isEmpty();
        assertThat(Tested.MLFLOW.olderThanThis("v4.0")).isEmpty();
        assertThat(Tested.MLFLOW.olderThanThis("a build of ours")).isEmpty();
    }

    @Test
    void theVersionIsTheOneThatIsInstalledForTests() throws Exception {
        assertThat(Files.readString(Path.of("../infra/local/install")))
                .contains("mlflow_version=" + Tested.MLFLOW.version());
    }
}
