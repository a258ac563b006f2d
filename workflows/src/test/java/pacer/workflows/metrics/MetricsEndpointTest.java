package pacer.workflows.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import com.uber.m3.util.Duration;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.host.HostHealth;
import pacer.activities.run.RunHub;
import pacer.activities.run.TestRuns;

class MetricsEndpointTest {
    @TempDir
    private Path folder;

    @Test
    void oneScrapeHasRunsJvmAndSdk() throws Exception {
        RunHub hub = new RunHub();
        try (MetricsEndpoint endpoint = MetricsEndpoint.at("127.0.0.1:0")) {
            hub.followAll(endpoint.follow(TestRuns.home(folder), OptionalLong.empty(), new HostHealth(), List::of));
            TestRuns.open(TestRuns.home(folder), hub, TestRuns.text(folder.resolve("text.txt"), 5));
            endpoint.scope().timer("temporal_request_latency").record(Duration.ofMillis(30));
            endpoint.serve();
            String text;
            do { // the SDK's meters arrive a little later
                text = HttpClient.newHttpClient()
                        .send(
                                HttpRequest.newBuilder(URI.create(endpoint.url()))
                                        .build(),
                                HttpResponse.BodyHandlers.ofString())
                        .body();
            } while (!text.contains("temporal_request_latency"));
            Scrape scrape = new Scrape(text);
            assertThat(scrape.value("pacer_runs_active")).isEqualTo(1);
            assertThat(scrape.lines("jvm_memory_used_bytes")).isNotEmpty();
            assertThat(scrape.lines("temporal_request_latency_seconds_bucket"))
                    .hasSize(13)
                    .anyMatch(line -> line.contains("le=\"0.025\"") && line.endsWith(" 0"))
                    .anyMatch(line -> line.contains("le=\"0.05\"") && line.endsWith(" 1"));
        }
    }
}
