package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class RunLinksTest {
    /** A worker in a container knows MLflow by a name that no browser knows. */
    @Test
    void linksLeadWherePeopleAre() {
        Map<String, String> inside = Map.of("MLFLOW_TRACKING_URI", "http://mlflow:5000", "PACER_MLFLOW_UI", " ");
        assertThat(RunLinks.of(inside)).isEqualTo(Map.of("MLflow", "http://mlflow:5000"));
        Map<String, String> both = Map.of(
                "MLFLOW_TRACKING_URI", "http://mlflow:5000",
                "PACER_MLFLOW_UI", "http://127.0.0.1:5000",
                "PACER_GRAFANA", "http://127.0.0.1:3000");
        assertThat(RunLinks.of(both))
                .isEqualTo(Map.of("MLflow", "http://127.0.0.1:5000", "Grafana", "http://127.0.0.1:3000"));
        assertThat(RunLinks.of(Map.of("PACER_MLFLOW_UI", "http://127.0.0.1:5000")))
                .as("no run is sent there")
                .isEmpty();
    }
}
