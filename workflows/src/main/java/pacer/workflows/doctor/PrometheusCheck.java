package pacer.workflows.doctor;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Prometheus: whether it is there, scrapes a worker, has pacer's rules, and what it alerts of. */
record PrometheusCheck(Map<String, String> environment) {
    private static final String NAME = "prometheus";
    private static final Pattern ALERT = Pattern.compile("(?m)^\\s*- alert: (\\w+)");

    List<Finding> findings() throws InterruptedException {
        String address = environment.getOrDefault("PACER_PROMETHEUS", "").strip();
        if (address.isEmpty()) {
            return List.of();
        }
        List<Finding> findings = new ArrayList<>();
        try (Web web = new Web()) {
            URI server = Web.address("PACER_PROMETHEUS", address);
            String version =
                    ask(web, server, "status/buildinfo").path("version").asText();
            findings.add(version(server, version));
            findings.add(targets(ask(web, server, "targets?state=active")));
            findings.addAll(rules(ask(web, server, "rules")));
        } catch (IOException e) {
            findings.add(Finding.bad(
                    NAME, e.getMessage(), "start it, or name another by PACER_PROMETHEUS; unset it to do without"));
        }
        return findings;
    }

    private static JsonNode ask(Web web, URI server, String path) throws IOException, InterruptedException {
        return web.get(URI.create(server + "/api/v1/" + path)).json().path("data");
    }

    private static Finding version(URI server, String version) {
        String text = server + ", version " + version;
        return Tested.PROMETHEUS
                .olderThanThis(version)
                .map(older -> Finding.poor(NAME, text + ", " + older, "upgrade Prometheus"))
                .orElseGet(() -> Finding.good(NAME, text));
    }

    private static Finding targets(JsonNode data) {
        List<JsonNode> ours = stream(data.path("activeTargets"))
                .filter(target -> target.path("labels").path("job").asText().equals("pacer"))
                .toList();
        if (ours.isEmpty()) {
            return Finding.bad(
                    NAME,
                    "it scrapes no worker: there is no job 'pacer'",
                    "add one to scrape_configs, as in infra/prometheus/prometheus.yml; dashboards and alerts go by that name");
        }
        List<String> down = ours.stream()
                .filter(target -> target.path("health").asText().equals("down"))
                .map(target -> target.path("scrapeUrl").asText() + " ("
                        + target.path("lastError").asText() + ")")
                .toList();
        if (!down.isEmpty()) {
            return Finding.bad(
                    NAME,
                    "it cannot scrape " + String.join(", ", down),
                    "start that worker with PACER_METRICS=HOST:PORT, where Prometheus reaches it");
        }
        boolean all =
                ours.stream().allMatch(target -> target.path("health").asText().equals("up"));
        String text = "it scrapes %d worker%s".formatted(ours.size(), ours.size() == 1 ? "" : "s");
        return all
                ? Finding.good(NAME, text)
                : Finding.poor(NAME, text + ", not yet all of them", "ask again in some seconds: it has just begun");
    }

    private List<Finding> rules(JsonNode data) throws IOException {
        List<JsonNode> rules = stream(data.path("groups"))
                .flatMap(group -> stream(group.path("rules")))
                .filter(rule -> rule.path("type").asText().equals("alerting"))
                .toList();
        Set<String> there =
                rules.stream().map(rule -> rule.path("name").asText()).collect(Collectors.toSet());
        Set<String> lacking = new TreeSet<>(wanted());
        lacking.removeAll(there);
        List<Finding> findings = new ArrayList<>();
        findings.add(
                lacking.isEmpty()
                        ? Finding.good(
                                NAME,
                                there.stream()
                                                .filter(rule -> rule.startsWith("Pacer"))
                                                .count() + " alert rules of pacer")
                        : Finding.bad(
                                NAME,
                                "it lacks the alert rules " + String.join(", ", lacking),
                                "name infra/prometheus/rules/*.yml under rule_files, and have it read them again"));
        rules.stream()
                .filter(rule -> rule.path("health").asText().equals("err"))
                .map(rule -> Finding.bad(
                        NAME,
                        "rule %s cannot be evaluated: %s"
                                .formatted(
                                        rule.path("name").asText(),
                                        rule.path("lastError").asText()),
                        "mend it; promtool check rules says where"))
                .forEach(findings::add);
        String firing = rules.stream()
                .filter(rule -> rule.path("state").asText().equals("firing"))
                .map(rule -> rule.path("name").asText())
                .filter(name -> name.startsWith("Pacer"))
                .collect(Collectors.joining(", "));
        if (!firing.isEmpty()) {
            findings.add(Finding.poor(NAME, "alerts: " + firing, "docs/guide.md says what each means"));
        }
        return findings;
    }

    /** Those of the checkout; where there is none, that one by which a nightly schedule is watched. */
    private Set<String> wanted() throws IOException {
        Path file = Path.of(environment.getOrDefault("PACER_HOME", ""), "infra", "prometheus", "rules", "pacer.yml");
        return Files.isRegularFile(file)
                ? ALERT.matcher(Files.readString(file))
                        .results()
                        .map(found -> found.group(1))
                        .collect(Collectors.toSet())
                : Set.of("PacerReproductionMissed");
    }

    private static Stream<JsonNode> stream(JsonNode array) {
        return array.valueStream();
    }
}
