package pacer.workflows.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import pacer.activities.process.Ports;

/**
 * Grafana, of which no program is to be had for tests, and whatever takes a webhook's messages: both stood for by a server that answers as Grafana's
 * documentation of its HTTP API says.
 */
@Timeout(60)
class StrangersTest {
    private final Map<String, String> pages = new HashMap<>();
    private final List<String> asked = new CopyOnWriteArrayList<>();
    private HttpServer server;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            try (exchange) {
                String path = exchange.getRequestURI().getPath();
                asked.add(exchange.getRequestMethod() + " " + path);
                String page = pages.get(path);
                byte[] body = (page == null ? "{}" : page).getBytes(StandardCharsets.UTF_8);
                int status = page == null ? 404 : page.equals("401") ? 401 : 200;
                exchange.sendResponseHeaders(status, body.length);
                exchange.getResponseBody().write(body);
            }
        });
        server.start();
        pages.put("/api/health", "{\"database\": \"ok\", \"version\": \"12.2.0\", \"commit\": \"x\"}");
        GrafanaCheck.DASHBOARDS.forEach(uid -> pages.put("/api/dashboards/uid/" + uid, "{\"dashboard\": {}}"));
        pages.put(
                "/api/frontend/settings",
                "{\"datasources\": {\"Prometheus\": {\"type\": \"prometheus\", \"uid\": \"pacer-prometheus\"}}}");
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private String address() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    private List<Finding> grafana() throws InterruptedException {
        return new GrafanaCheck(Map.of("PACER_GRAFANA", address())).findings();
    }

    @Test
    void aGrafanaWithDashboardsAndDataSourceHasNothingWrong() throws Exception {
        Found.nothingWrong(grafana());
        Found.good(grafana(), "grafana", "version 12.2.0");
    }

    @Test
    void whatAGrafanaLacksIsSaid() throws Exception {
        pages.remove("/api/dashboards/uid/pacer-nightly");
        pages.put("/api/frontend/settings", "{\"datasources\": {\"Loki\": {\"type\": \"loki\", \"uid\": \"x\"}}}");
        pages.put("/api/health", "{\"database\": \"ok\", \"version\": \"9.5.1\"}");
        List<Finding> findings = grafana();
        Found.poor(findings, "grafana", "9.5.1");
        assertThat(Found.bad(findings, "grafana", "it lacks the dashboards pacer-nightly")
                        .remedy())
                .contains("infra/grafana/provisioning");
        Found.bad(findings, "grafana", "no data source of Prometheus");
        pages.put("/api/health", "{\"database\": \"failing\", \"version\": \"12.2.0\"}");
        Found.bad(grafana(), "grafana", "database is 'failing'");
        pages.put("/api/health", "<html>");
        Found.bad(grafana(), "grafana", "no JSON");
    }

    @Test
    void oneThatShowsNothingToStrangersLeavesItOpen() throws Exception {
        pages.put("/api/dashboards/uid/pacer-run", "401");
        Found.poor(grafana(), "grafana", "not logged in");
        Found.bad(
                new GrafanaCheck(Map.of("PACER_GRAFANA", "http://127.0.0.1:" + Ports.free())).findings(),
                "grafana",
                "does not answer");
    }

    @Test
    void aWebhookIsReachedButToldNothing() throws Exception {
        Found.good(
                new WebhookCheck(Map.of("PACER_WEBHOOK", address() + "/a-secret")).findings(),
                "webhook",
                "none was sent");
        assertThat(asked).isEmpty();
        Finding plain = Found.bad(
                new WebhookCheck(Map.of("PACER_WEBHOOK", address().replace("http:", "https:") + "/a-secret"))
                        .findings(),
                "webhook",
                "127.0.0.1");
        assertThat(plain.text()).doesNotContain("a-secret");
        assertThat(asked).isEmpty();
        Found.bad(
                new WebhookCheck(Map.of("PACER_WEBHOOK", "http://127.0.0.1:" + Ports.free() + "/a")).findings(),
                "webhook",
                "refused");
        Found.bad(
                new WebhookCheck(Map.of("PACER_WEBHOOK", "http://203.0.113.1/a")).findings(),
                "webhook",
                "must be an https URL");
        Found.bad(
                new WebhookCheck(Map.of("PACER_WEBHOOK", "https://nowhere.invalid/a")).findings(),
                "webhook",
                "no address is known");
        assertThat(new WebhookCheck(Map.of()).findings()).isEmpty();
    }
}
