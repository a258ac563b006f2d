package pacer.workflows.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.process.Ports;
import pacer.activities.run.RunJson;

/** The doctor where every service is named and none is there. */
class DoctorCommandTest {
    @TempDir
    private Path folder;

    private Map<String, String> nobodyAnywhere() throws Exception {
        Map<String, String> environment = new HashMap<>(Map.of(
                "PACER_RUNS", folder.resolve("runs").toString(),
                "PACER_CACHE", folder.resolve("cache").toString(),
                "TEMPORAL_ADDRESS", "127.0.0.1:" + Ports.free(),
                "PACER_STORE", "s3://models/pacer",
                "AWS_REGION", "us-east-1",
                "AWS_ACCESS_KEY_ID", "me",
                "AWS_SECRET_ACCESS_KEY", "a-secret"));
        for (String name : List.of(
                "MLFLOW_TRACKING_URI",
                "AWS_ENDPOINT_URL_S3",
                "PACER_PROMETHEUS",
                "PACER_GRAFANA",
                "PACER_METRICS_URL",
                "PACER_CODEC_ENDPOINT",
                "PACER_WEBHOOK")) {
            environment.put(name, "http://127.0.0.1:" + Ports.free());
        }
        return environment;
    }

    @Test
    void eachIsSaidWithARemedyInEightyColumns() throws Exception {
        Screen screen = new Screen();
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8);
        int code =
                Pacer.run(new String[] {"doctor"}, new Console(screen.terminal(true, 80), nowhere, nobodyAnywhere()));
        assertThat(code).isEqualTo(Exit.FAILED);
        List<String> lines = screen.seen();
        for (String service : List.of("temporal", "mlflow", "store", "metrics", "prometheus", "grafana", "webhook")) {
            assertThat(lines).as(service).anyMatch(line -> line.startsWith("✗ " + service + " "));
        }
        assertThat(lines)
                .filteredOn(line -> line.strip().startsWith("→"))
                .hasSizeGreaterThanOrEqualTo(7)
                .allMatch(line -> line.startsWith(" ".repeat(13) + "→ "));
        assertThat(lines)
                .filteredOn(line -> line.codePointCount(0, line.length()) > 80)
                .as("but for paths, which are not cut")
                .allMatch(line -> line.contains(folder.toString()) || line.contains(System.getProperty("java.home")));
        assertThat(lines).noneMatch(line -> line.contains("a-secret"));
    }

    @Test
    void asJsonEachHasItsStateAndRemedy() throws Exception {
        Screen screen = new Screen();
        Pacer.run(new String[] {"doctor", "-o", "json"}, screen.console(nobodyAnywhere()));
        JsonNode findings = RunJson.MAPPER.readTree(screen.raw());
        assertThat(findings)
                .filteredOn(finding -> finding.path("state").asText().equals("bad"))
                .hasSizeGreaterThanOrEqualTo(7)
                .allMatch(finding -> !finding.path("remedy").asText("").isBlank());
    }
}
