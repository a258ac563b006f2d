package pacer.workflows.doctor;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Grafana, as somebody who is not logged in: whether it is there, and has pacer's dashboards and their data source. */
record GrafanaCheck(Map<String, String> environment) {
    /** As {@code dashboards/*.json} name themselves, for ever. */
    static final List<String> DASHBOARDS = List.of("pacer-run", "pacer-fleet", "pacer-nightly");

    /** As {@code infra/grafana/provisioning} names it. */
    static final String DATA_SOURCE = "pacer-prometheus";

    private static final String NAME = "grafana";

    List<Finding> findings() throws InterruptedException {
        String address = environment.getOrDefault("PACER_GRAFANA", "").strip();
        if (address.isEmpty()) {
            return List.of();
        }
        List<Finding> findings = new ArrayList<>();
        try (Web web = new Web()) {
            URI server = Web.address("PACER_GRAFANA", address);
            JsonNode health = web.get(URI.create(server + "/api/health")).json();
            findings.add(health(server, health));
            findings.add(dashboards(web, server));
            dataSource(web, server).ifPresent(findings::add);
        } catch (IOException e) {
            findings.add(Finding.bad(
                    NAME, e.getMessage(), "start it, or name another by PACER_GRAFANA; unset it to do without"));
        }
        return findings;
    }

    private static Finding health(URI server, JsonNode health) throws IOException {
        String database = health.path("database").asText();
        if (!database.equals("ok")) {
            throw new IOException(server + " says that its database is '" + database + "'");
        }
        String version = health.path("version").asText();
        String text = server + (version.isEmpty() ? "" : ", version " + version);
        return Tested.GRAFANA
                .olderThanThis(version)
                .map(older -> Finding.poor(
                        NAME,
                        text + ": the dashboards are made for " + Tested.GRAFANA.version() + " or newer",
                        "upgrade Grafana"))
                .orElseGet(() -> Finding.good(NAME, text));
    }

    private static Finding dashboards(Web web, URI server) throws IOException, InterruptedException {
        List<String> lacking = new ArrayList<>();
        for (String uid : DASHBOARDS) {
            int status =
                    web.get(URI.create(server + "/api/dashboards/uid/" + uid)).status();
            if (status == 401 || status == 403) {
                return Finding.poor(
                        NAME,
                        "it shows dashboards to nobody who is not logged in, so whether pacer's are there is not known",
                        "look for " + String.join(", ", DASHBOARDS)
                                + " there, or set GF_AUTH_ANONYMOUS_ENABLED=true where everybody may look");
            }
            if (status != 200) {
                lacking.add(uid + (status == 404 ? "" : " (status " + status + ")"));
            }
        }
        return lacking.isEmpty()
                ? Finding.good(NAME, "dashboards " + String.join(", ", DASHBOARDS))
                : Finding.bad(
                        NAME,
                        "it lacks the dashboards " + String.join(", ", lacking),
                        "import them from dashboards/, or give it infra/grafana/provisioning with PACER_DASHBOARDS; its log says why where it has that");
    }

    /** From what its own pages are told; empty where it does not say. */
    private static Optional<Finding> dataSource(Web web, URI server) throws IOException, InterruptedException {
        Web.Answer answer = web.get(URI.create(server + "/api/frontend/settings"));
        if (!answer.ok()) {
            return Optional.empty();
        }
        List<JsonNode> sources = answer.json()
                .path("datasources")
                .valueStream()
                .filter(source -> source.path("type").asText().equals("prometheus"))
                .toList();
        boolean ours =
                sources.stream().anyMatch(source -> source.path("uid").asText().equals(DATA_SOURCE));
        if (ours) {
            return Optional.of(Finding.good(NAME, "data source " + DATA_SOURCE));
        }
        return Optional.of(
                sources.isEmpty()
                        ? Finding.bad(
                                NAME,
                                "it has no data source of Prometheus",
                                "add one, or give it infra/grafana/provisioning with PACER_PROMETHEUS, the address of Prometheus")
                        : Finding.good(
                                NAME,
                                sources.size()
                                        + " data sources of Prometheus, to be chosen at the top of a dashboard"));
    }
}
