package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pacer.activities.run.BadInputException;
import pacer.activities.run.Machine;

class DeploymentTest {
    @Test
    void aVersionIsThisBuildUnlessNamed() {
        assertThat(Deployment.of(Map.of())).isEmpty();
        assertThat(Deployment.of(Map.of("PACER_BUILD_ID", "7"))).isEmpty();
        assertThat(Deployment.of(Map.of("PACER_DEPLOYMENT", "pacer")))
                .contains(new Deployment("pacer", Machine.version()));
        Map<String, String> commit =
                Map.of("PACER_DEPLOYMENT", "pacer", "PACER_COMMIT", "89b8d3580749b71e9a072f121946dd1f5585099e");
        assertThat(Deployment.of(commit)).contains(new Deployment("pacer", Machine.version() + "-89b8d3580749"));
        assertThat(Deployment.of(Map.of("PACER_DEPLOYMENT", " pacer ", "PACER_BUILD_ID", "2026.1")))
                .contains(new Deployment("pacer", "2026.1"));
    }

    @ParameterizedTest
    @CsvSource({
        "a.b, 1, PACER_DEPLOYMENT: 'a.b'",
        "a:b, 1, PACER_DEPLOYMENT: 'a:b'",
        "a, 1:2, PACER_BUILD_ID: '1:2'",
        "a, -, PACER_BUILD_ID: '-'"
    })
    void whatTemporalsToolsCouldNotNameIsRefused(String name, String build, String message) {
        assertThatThrownBy(() -> Deployment.of(Map.of("PACER_DEPLOYMENT", name, "PACER_BUILD_ID", build)))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith(message + " must be up to ");
    }
}
