package pacer.workflows.doctor;

import java.io.IOException;
import java.net.URI;
import java.util.List;
import java.util.Map;

/** A worker's {@code /metrics}. */
record MetricsCheck(Map<String, String> environment) {
    private static final String NAME = "metrics";

    /** One that every worker has at any time. */
    private static final String SERIES = "pacer_runs_active";

    List<Finding> findings() throws InterruptedException {
        String named = environment.getOrDefault("PACER_METRICS_URL", "").strip();
        String listens = environment.getOrDefault("PACER_METRICS", "").strip();
        if (named.isEmpty() && listens.isEmpty()) {
            return List.of();
        }
        try (Web web = new Web()) {
            URI worker = Web.address(
                    named.isEmpty() ? "PACER_METRICS" : "PACER_METRICS_URL",
                    named.isEmpty() ? Places.url(listens) : named);
            String body = web.get(URI.create(worker + "/metrics")).requireOk().body();
            long series = body.lines().filter(line -> line.startsWith("pacer_")).count();
            boolean ours = body.lines().anyMatch(line -> line.startsWith(SERIES + " "));
            return List.of(
                    ours
                            ? Finding.good(NAME, worker + "/metrics, " + series + " series of pacer")
                            : Finding.bad(
                                    NAME,
                                    worker + "/metrics has no " + SERIES + ": another program answers there",
                                    "give the worker another port: PACER_METRICS=HOST:PORT"));
        } catch (IOException e) {
            return List.of(Finding.bad(
                    NAME,
                    "of the worker: " + e.getMessage(),
                    "start the worker with PACER_METRICS=HOST:PORT; its log says why where it does not listen"));
        }
    }
}
