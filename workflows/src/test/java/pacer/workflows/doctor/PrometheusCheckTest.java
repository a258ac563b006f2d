package pacer.workflows.doctor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.process.Ports;
import pacer.workflows.metrics.MetricsEndpoint;

/** A real Prometheus, with one thing wrong at a time. */
@Timeout(120)
class PrometheusCheckTest {
    private static final Path HOME = Path.of("").toAbsolutePath().getParent();

    @TempDir
    private Path folder;

    private Process process;
    private int port;

    @BeforeEach
    void look() {
        assumeTrue(System.getProperty("pacer.stack") != null, "no Prometheus: give its folder, -Dpacer.stack=…");
    }

    @AfterEach
    void end() throws InterruptedException {
        if (process != null) {
            process.destroyForcibly().waitFor();
        }
    }

    private void start(String rules, String jobs) throws Exception {
        Path config = Files.writeString(
                folder.resolve("prometheus.yml"),
                "global: {scrape_interval: 1s, evaluation_interval: 1s}\n" + rules + "scrape_configs:\n" + jobs);
        Ports.race(() -> {
            port = Ports.free();
            process = new ProcessBuilder(
                            Path.of(System.getProperty("pacer.stack"), "prometheus")
                                    .toString(),
                            "--config.file=" + config,
                            "--storage.tsdb.path=" + folder.resolve("data" + port),
                            "--web.listen-address=127.0.0.1:" + port)
                    .redirectErrorStream(true)
                    .redirectOutput(folder.resolve("log").toFile())
                    .start();
            awaitReady();
        });
    }

    private void awaitReady() throws IOException, InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        HttpRequest ready =
                HttpRequest.newBuilder(URI.create(address() + "/-/ready")).build();
        try (HttpClient client = HttpClient.newHttpClient()) {
            while (true) {
                try {
                    if (client.send(ready, HttpResponse.BodyHandlers.discarding())
                                    .statusCode()
                            == 200) {
                        return;
                    }
                } catch (IOException e) {
                    if (!process.isAlive() || System.nanoTime() > deadline) {
                        throw new IOException("Prometheus: " + Files.readString(folder.resolve("log")), e);
                    }
                }
                Thread.sleep(50);
            }
        }
    }

    private String address() {
        return "http://127.0.0.1:" + port;
    }

    private List<Finding> findings() throws InterruptedException {
        return new PrometheusCheck(Map.of("PACER_PROMETHEUS", address(), "PACER_HOME", HOME.toString())).findings();
    }

    /** The findings once there is one of such a text: Prometheus learns of targets and rules some seconds after its start. */
    private List<Finding> once(String part, Finding.State state) throws InterruptedException {
        List<Finding> findings = findings();
        for (int i = 0;
                i < 300 && findings.stream().noneMatch(f -> f.text().contains(part) && f.state() == state);
                i++) {
            Thread.sleep(100);
            findings = findings();
        }
        return findings;
    }

    private static String job(String name, int target) {
        return "  - {job_name: %s, static_configs: [{targets: ['127.0.0.1:%d']}]}\n".formatted(name, target);
    }

    private static long alerts() throws IOException {
        return Files.readString(HOME.resolve("infra/prometheus/rules/pacer.yml"))
                .lines()
                .filter(line -> line.strip().startsWith("- alert:"))
                .count();
    }

    private static String rules(String file) {
        return "rule_files: ['" + file + "']\n";
    }

    @Test
    void oneThatScrapesAWorkerAndHasTheRulesHasNothingWrong() throws Exception {
        int worker = Ports.free();
        try (MetricsEndpoint metrics = MetricsEndpoint.at("127.0.0.1:" + worker)) {
            metrics.serve();
            start(rules(HOME + "/infra/prometheus/rules/*.yml"), job("pacer", worker));
            List<Finding> findings = once("it scrapes 1 worker", Finding.State.GOOD);
            Found.nothingWrong(findings);
            Found.good(findings, "prometheus", "it scrapes 1 worker");
            Found.good(findings, "prometheus", alerts() + " alert rules of pacer");
        }
    }

    @Test
    void aWorkerThatIsDownAndRulesThatAreNotLoadedAreSaid() throws Exception {
        int nobody = Ports.free();
        start("", job("pacer", nobody));
        List<Finding> findings = once("it cannot scrape", Finding.State.BAD);
        assertThat(Found.bad(findings, "prometheus", "it cannot scrape http://127.0.0.1:" + nobody)
                        .remedy())
                .contains("PACER_METRICS");
        assertThat(Found.bad(findings, "prometheus", "it lacks the alert rules").text())
                .contains("PacerStepStalled", "PacerReproductionMissed");
    }

    @Test
    void aRuleThatCannotBeEvaluatedAndOneThatFiresAreSaid() throws Exception {
        Path broken = Files.writeString(folder.resolve("rules.yml"), """
                groups:
                  - name: pacer
                    rules:
                      - {alert: PacerBroken, expr: 'vector(1) + on () (vector(1) or label_replace(vector(1), "a", "b", "", ""))'}
                      - {alert: PacerWorkerDown, expr: 'vector(1)'}
                """);
        start(rules(broken.toString()), job("pacer", Ports.free()) + job("temporal", Ports.free()));
        var _ = once("rule PacerBroken", Finding.State.BAD);
        List<Finding> findings = once("alerts: ", Finding.State.POOR);
        Found.poor(findings, "prometheus", "alerts: PacerWorkerDown");
        assertThat(Found.bad(findings, "prometheus", "rule PacerBroken cannot be evaluated")
                        .remedy())
                .contains("promtool");
    }

    @Test
    void oneThatScrapesOtherThingsOnlyHasNoWorker() throws Exception {
        start("", job("temporal", Ports.free()));
        assertThat(Found.bad(findings(), "prometheus", "it scrapes no worker").remedy())
                .contains("scrape_configs");
    }

    @Test
    void nobodyAtTheAddressIsOneFinding() throws Exception {
        port = Ports.free();
        assertThat(findings()).hasSize(1);
        Found.bad(findings(), "prometheus", "does not answer");
        Found.bad(
                new PrometheusCheck(Map.of("PACER_PROMETHEUS", "localhost:9090")).findings(),
                "prometheus",
                "must be http");
        assertThat(new PrometheusCheck(Map.of()).findings()).isEmpty();
    }
}
