package pacer.workflows.doctor;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import pacer.activities.run.BadInputException;
import pacer.activities.run.Reasons;

/**
 * Looks at the services that an environment names, each as a worker, a browser or Prometheus would use it: all at once, as each may be one that is
 * waited for in vain.
 */
public record ServiceChecks(Map<String, String> environment) {

    /**
     * All that was found, service by service.
     *
     * @param temporal as {@code --temporal}; null for what the environment names
     */
    public List<Finding> findings(String temporal) throws InterruptedException {
        Map<String, Callable<List<Finding>>> checks = new LinkedHashMap<>();
        checks.put("temporal", () -> new TemporalChecks(environment).findings(temporal));
        checks.put("codec", () -> new CodecCheck(environment).findings());
        checks.put("mlflow", () -> new MlflowCheck(environment).findings());
        checks.put("store", () -> new StoreCheck(environment).findings());
        checks.put("metrics", () -> new MetricsCheck(environment).findings());
        checks.put("prometheus", () -> new PrometheusCheck(environment).findings());
        checks.put("grafana", () -> new GrafanaCheck(environment).findings());
        checks.put("webhook", () -> new WebhookCheck(environment).findings());
        return all(checks);
    }

    static List<Finding> all(Map<String, Callable<List<Finding>>> checks) throws InterruptedException {
        List<Finding> findings = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Iterator<Future<List<Finding>>> found =
                    threads.invokeAll(checks.values()).iterator();
            for (String service : checks.keySet()) {
                findings.addAll(found(service, found.next()));
            }
        }
        return findings;
    }

    /** What a check did not reckon with is a finding too, and hides none of the others. */
    private static List<Finding> found(String service, Future<List<Finding>> check) throws InterruptedException {
        try {
            return check.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof BadInputException ofThisCommand) {
                throw ofThisCommand;
            }
            return List.of(Finding.bad(
                    service,
                    "could not be looked at: " + Reasons.of(e.getCause()),
                    "see whether its address, rights and version are right; its log may say more"));
        }
    }
}
