package pacer.workflows.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.Home;
import pacer.activities.run.RunJson;
import pacer.activities.run.TestRuns;
import pacer.workflows.PipelineOptions;
import pacer.workflows.ServiceWorker;
import pacer.workflows.TemporalServer;

/** Schedules of a real server, as they are listed. */
@Timeout(120)
class ScheduleCommandTest {
    @RegisterExtension
    static final TemporalServer SERVER = new TemporalServer();

    @TempDir
    private Path folder;

    private String pacer(String... arguments) {
        Screen screen = new Screen();
        Map<String, String> environment = Map.of(
                "TEMPORAL_ADDRESS", SERVER.address(),
                "PACER_RUNS", folder.resolve("runs").toString(),
                "PACER_CACHE", folder.resolve("cache").toString());
        int code = Pacer.run(arguments, screen.console(environment));
        assertThat(code).as(screen.errors()).isZero();
        return screen.raw();
    }

    /** Visibility takes a moment. */
    private JsonNode soon(String status) throws Exception {
        JsonNode last = RunJson.MAPPER.missingNode();
        for (int i = 0; i < 600 && !last.path("status").asText().equals(status); i++) {
            Thread.sleep(100);
            JsonNode recent = RunJson.MAPPER
                    .readTree(pacer("schedule", "-o", "json"))
                    .path(0)
                    .path("recent");
            last = recent.path(recent.size() - 1);
        }
        assertThat(last.path("status").asText()).isEqualTo(status);
        return last;
    }

    @Test
    void whatTheLastRunsCameToIsListed() throws Exception {
        pacer(
                "schedule",
                "create",
                "nightly",
                "--set",
                "dataset.url=file:/nowhere/text.txt",
                "--set",
                "dataset.sha256=");
        pacer("schedule", "trigger", "nightly");
        String waiting = soon("RUNNING").path("workflow").asText();
        assertThat(pacer("schedule")).contains("  next   ", "● " + waiting + "  at work");

        Home home = TestRuns.home(folder);
        try (ServiceWorker _ = ServiceWorker.start(
                new PipelineOptions(home, SERVER.address(), Map.of()),
                EnumSet.of(ServiceWorker.Role.CONTROL, ServiceWorker.Role.HOST),
                null,
                (run, update) -> {},
                text -> {})) {
            JsonNode failed = soon("FAILED");
            assertThat(failed.path("verdict").asText()).contains("/nowhere/text.txt");
            assertThat(failed.path("ended").asText()).isNotEmpty();
            assertThat(pacer("schedule"))
                    .containsPattern(
                            "✗ " + waiting + ", \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d: .*/nowhere/text.txt");
        }
        Thread.sleep(1100); // what a schedule starts is named by the second
        pacer("schedule", "trigger", "nightly");
        String other = soon("RUNNING").path("workflow").asText();
        SERVER.temporal("workflow", "terminate", "--workflow-id", other, "--reason", "a test");
        assertThat(soon("TERMINATED").has("verdict")).isFalse();
        assertThat(pacer("schedule")).contains("● " + other + "  terminated, ");
        pacer("schedule", "delete", "nightly");
    }
}
