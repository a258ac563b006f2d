package pacer.workflows.stack;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import pacer.trainer.durable.DurableFiles;
import pacer.workflows.SearchAttributes;

/** The command line of each server. */
final class Services {
    static final String BUCKET = "pacer";
    private static final String MLFLOW_BUCKET = "mlflow";
    static final String REGION = "us-east-1";

    private final StackFolder folder;
    private final StackState state;
    private final Map<String, String> environment;

    /** @param environment of this process */
    Services(StackFolder folder, StackState state, Map<String, String> environment) {
        this.folder = folder;
        this.state = state;
        this.environment = environment;
    }

    /** How {@code server} is started; what it needs on the disk is made. Empty where there is no program for it. */
    Optional<Service> of(Server server) throws IOException {
        return switch (server) {
            case S3 -> Optional.of(s3());
            case TEMPORAL -> Optional.of(temporal());
            case MLFLOW -> Optional.of(mlflow());
            case PROMETHEUS -> Optional.of(prometheus());
            case GRAFANA -> grafana();
            case CODEC -> state.payloadKeys() == null ? Optional.empty() : Optional.of(codec());
            case WORKER -> Optional.of(worker());
        };
    }

    /** Over a folder, whose folders are buckets. */
    private Service s3() throws IOException {
        Path root = folder.store(Server.S3);
        Files.createDirectories(root.resolve(BUCKET));
        Files.createDirectories(root.resolve(MLFLOW_BUCKET));
        List<String> command = List.of(
                folder.tool(Server.S3).toString(),
                "--port",
                state.bind() + ":" + state.port(Port.S3),
                "--region",
                REGION,
                "--health",
                "/health",
                "--quiet",
                "posix",
                root.toString());
        return new Service(
                Server.S3,
                command,
                Map.of("ROOT_ACCESS_KEY_ID", state.s3Key(), "ROOT_SECRET_ACCESS_KEY", state.s3Secret()),
                URI.create(state.url(Port.S3) + "/health"),
                state.url(Port.S3));
    }

    private Service temporal() throws IOException {
        List<String> command = new ArrayList<>(List.of(
                folder.tool(Server.TEMPORAL).toString(),
                "server",
                "start-dev",
                "--ip",
                state.bind(),
                "--port",
                text(Port.TEMPORAL),
                "--ui-port",
                text(Port.TEMPORAL_UI),
                "--metrics-port",
                text(Port.TEMPORAL_METRICS),
                "--db-filename",
                folder.store(Server.TEMPORAL).resolve("temporal.db").toString(),
                "--log-level",
                "warn"));
        if (state.payloadKeys() != null) {
            command.addAll(List.of("--ui-codec-endpoint", "http://" + codecAddress()));
        }
        SearchAttributes.types()
                .forEach((name, type) -> command.addAll(List.of("--search-attribute", name + "=" + type)));
        return new Service(
                Server.TEMPORAL,
                command,
                Map.of(),
                URI.create(state.url(Port.TEMPORAL_UI)),
                state.address(Port.TEMPORAL) + ", UI " + state.url(Port.TEMPORAL_UI));
    }

    private Service mlflow() throws IOException {
        Path data = folder.store(Server.MLFLOW);
        List<String> command = List.of(
                folder.tool(Server.MLFLOW).toString(),
                "server",
                "--backend-store-uri",
                "sqlite:///" + data.resolve("mlflow.db"),
                "--artifacts-destination",
                "s3://" + MLFLOW_BUCKET,
                "--host",
                state.bind(),
                "--port",
                text(Port.MLFLOW),
                "--workers",
                "1");
        Map<String, String> more = new LinkedHashMap<>();
        more.put("MLFLOW_S3_ENDPOINT_URL", state.url(Port.S3));
        more.put("AWS_ACCESS_KEY_ID", state.s3Key());
        more.put("AWS_SECRET_ACCESS_KEY", state.s3Secret());
        more.put("AWS_DEFAULT_REGION", REGION);
        more.put("MLFLOW_DISABLE_TELEMETRY", "true");
        return new Service(
                Server.MLFLOW, command, more, URI.create(state.url(Port.MLFLOW) + "/health"), state.url(Port.MLFLOW));
    }

    private Service prometheus() throws IOException {
        Path data = folder.store(Server.PROMETHEUS);
        Path config = data.resolve("prometheus.yml");
        DurableFiles.write(config, scraped().getBytes(StandardCharsets.UTF_8));
        Path program = folder.tool(Server.PROMETHEUS);
        List<String> command = new ArrayList<>(List.of(
                program.toString(),
                "--config.file=" + config,
                "--storage.tsdb.path=" + data.resolve("data"),
                "--storage.tsdb.retention.time=90d", // the dashboard of nights looks back for 30
                "--web.listen-address=" + state.bind() + ":" + state.port(Port.PROMETHEUS)));
        // Debian's has its pages beside it, and looks for them where its package would be installed
        Path pages =
                program.toRealPath().resolveSibling("../share/prometheus/web").normalize();
        if (Files.isDirectory(pages)) {
            command.add("--web.local-assets=" + pages);
        }
        return new Service(
                Server.PROMETHEUS,
                command,
                Map.of(),
                URI.create(state.url(Port.PROMETHEUS) + "/-/ready"),
                state.url(Port.PROMETHEUS));
    }

    /** The rules are the checked-in ones; the targets have this stack's ports. */
    private String scraped() {
        String rules = home().map(
                        home -> "rule_files: ['%s']\n".formatted(home.resolve("infra/prometheus/rules/*.yml")))
                .orElse("");
        return """
                global:
                  scrape_interval: 5s
                  evaluation_interval: 5s
                %sscrape_configs:
                  - job_name: pacer
                    static_configs: [{targets: ['%s']}]
                  - job_name: temporal
                    static_configs: [{targets: ['%s']}]
                """.formatted(rules, state.address(Port.METRICS), state.address(Port.TEMPORAL_METRICS));
    }

    private Optional<Service> grafana() throws IOException {
        Optional<Path> program = onPath("grafana");
        if (program.isEmpty() || home().isEmpty()) {
            return Optional.empty();
        }
        Path data = folder.store(Server.GRAFANA);
        Map<String, String> more = new LinkedHashMap<>();
        more.put("GF_SERVER_HTTP_ADDR", state.bind());
        more.put("GF_SERVER_HTTP_PORT", text(Port.GRAFANA));
        more.put("GF_PATHS_DATA", data.toString());
        more.put(
                "GF_PATHS_PROVISIONING",
                home().get().resolve("infra/grafana/provisioning").toString());
        more.put("GF_AUTH_ANONYMOUS_ENABLED", "true");
        more.put("GF_ANALYTICS_REPORTING_ENABLED", "false");
        more.put("PACER_PROMETHEUS", state.url(Port.PROMETHEUS));
        more.put("PACER_DASHBOARDS", home().get().resolve("dashboards").toString());
        Path share = Path.of(environment.getOrDefault("GRAFANA_HOME", "/usr/share/grafana"));
        return Optional.of(new Service(
                Server.GRAFANA,
                List.of(program.get().toString(), "server", "--homepath", share.toString()),
                more,
                URI.create(state.url(Port.GRAFANA) + "/api/health"),
                state.url(Port.GRAFANA)));
    }

    private Optional<Path> onPath(String program) {
        for (String place : environment.getOrDefault("PATH", "").split(":", -1)) {
            Path file = Path.of(place, program);
            if (!place.isEmpty() && Files.isExecutable(file)) {
                return Optional.of(file);
            }
        }
        return Optional.empty();
    }

    /** On this machine only, wherever the others listen: whoever reaches it can read all payloads. */
    private Service codec() {
        Map<String, String> more = ownVariables();
        more.put("PACER_CODEC", codecAddress());
        URI health = URI.create("http://" + codecAddress() + "/health");
        return new Service(Server.CODEC, own("codec"), more, health, "http://" + codecAddress());
    }

    private String codecAddress() {
        return "127.0.0.1:" + state.port(Port.CODEC);
    }

    private Service worker() {
        Map<String, String> more = ownVariables();
        more.put("PACER_METRICS", state.bind() + ":" + state.port(Port.METRICS));
        return new Service(
                Server.WORKER,
                own("worker"),
                more,
                URI.create(state.url(Port.METRICS) + "/health"),
                "metrics " + state.url(Port.METRICS) + "/metrics");
    }

    /** pacer itself, by its launcher. */
    private List<String> own(String subcommand) {
        return List.of(home().map(home -> home.resolve("pacer").toString()).orElse("pacer"), subcommand);
    }

    private Map<String, String> ownVariables() {
        Map<String, String> more = new LinkedHashMap<>(StackEnvironment.of(state));
        more.put("PACER_NO_BUILD", "1"); // the command that starts it has just been built
        return more;
    }

    private Optional<Path> home() {
        return Optional.ofNullable(environment.get("PACER_HOME")).map(Path::of);
    }

    private String text(Port port) {
        return Integer.toString(state.port(port));
    }
}
