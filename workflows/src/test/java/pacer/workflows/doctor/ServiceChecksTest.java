package pacer.workflows.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;

class ServiceChecksTest {
    @Test
    void whatACheckDoesNotReckonWithIsAFindingAndHidesNoOther() throws Exception {
        Map<String, Callable<List<Finding>>> checks = new LinkedHashMap<>();
        checks.put("temporal", () -> {
            throw new IllegalStateException("PERMISSION_DENIED: schedules");
        });
        checks.put("mlflow", () -> List.of(Finding.good("mlflow", "version 3")));

        List<Finding> findings = ServiceChecks.all(checks);

        assertThat(findings).hasSize(2);
        assertThat(findings.getFirst().name()).isEqualTo("temporal");
        assertThat(findings.getFirst().state()).isEqualTo(Finding.State.BAD);
        assertThat(findings.getFirst().text()).contains("PERMISSION_DENIED: schedules");
        assertThat(findings.getLast().name()).isEqualTo("mlflow");
    }
}
