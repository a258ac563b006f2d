package pacer.workflows.doctor;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

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
        List<Callable<List<Finding>>> checks = List.of(
                () -> new TemporalChecks(environment).findings(temporal),
                () -> new CodecCheck(environment).findings(),
                () -> new MlflowCheck(environment).findings(),
                () -> new StoreCheck(environment).findings(),
                () -> new MetricsCheck(environment).findings(),
                () -> new PrometheusCheck(environment).findings(),
                () -> new GrafanaCheck(environment).findings(),
                () -> new WebhookCheck(environment).findings());
        List<Finding> findings = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (Future<List<Finding>> found : threads.invokeAll(checks)) {
                findings.addAll(found.get());
            }
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException fault) {
                throw fault;
            }
            throw new IllegalStateException(e.getCause());
        }
        return findings;
    }
}
