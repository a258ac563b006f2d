package pacer.workflows.metrics;

import com.uber.m3.tally.RootScopeBuilder;
import com.uber.m3.tally.Scope;
import com.uber.m3.tally.ScopeCloseException;
import com.uber.m3.util.Duration;
import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.prometheus.metrics.exporter.httpserver.MetricsHandler;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.temporal.common.reporter.MicrometerClientStatsReporter;
import java.io.IOException;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import pacer.activities.host.HostHealth;
import pacer.activities.run.BadInputException;
import pacer.activities.run.Home;
import pacer.activities.run.RunUpdate;
import pacer.workflows.http.HttpListener;

/**
 * {@code /metrics} for Prometheus and {@code /health} for whoever starts a worker: the JVM's, the Temporal SDK's and the runs' meters in one registry.
 */
public final class MetricsEndpoint implements AutoCloseable {
    private static final double SCRAPE_SECONDS = 5;
    private static final int THREADS = 2;

    private final PrometheusRegistry registry = new PrometheusRegistry();
    private final PrometheusMeterRegistry meters;
    private final JvmGcMetrics garbage = new JvmGcMetrics();
    private final Scope scope;
    private final HttpListener listener;

    private MetricsEndpoint(HttpListener listener) {
        this.listener = listener;
        this.meters = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT, registry, Clock.SYSTEM);
        meters.config().meterFilter(new SdkBuckets());
        new JvmMemoryMetrics().bindTo(meters);
        garbage.bindTo(meters);
        new JvmThreadMetrics().bindTo(meters);
        new ProcessorMetrics().bindTo(meters);
        new UptimeMetrics().bindTo(meters);
        new FileDescriptorMetrics().bindTo(meters);
        this.scope = new RootScopeBuilder()
                .reporter(new MicrometerClientStatsReporter(meters))
                .reportEvery(Duration.ofSeconds(SCRAPE_SECONDS));
        listener.handle("/metrics", new MetricsHandler(registry));
    }

    /**
     * Listens at {@code address}, {@code HOST:PORT} or a port of the loopback address, once {@link #serve} is called.
     *
     * @throws BadInputException when it is none, or cannot be had
     */
    public static MetricsEndpoint at(String address) throws IOException {
        return new MetricsEndpoint(
                HttpListener.at(address, "metrics", "127.0.0.1:9464", "--metrics HOST:PORT or PACER_METRICS", THREADS));
    }

    /** For the Temporal SDK. */
    public Scope scope() {
        return scope;
    }

    /** Registers the meters of runs, cache, GPUs and schedules; what is returned is to hear of all that happens in this process's stages. */
    public BiConsumer<String, RunUpdate> follow(
            Home home, OptionalLong cacheLimit, HostHealth health, Supplier<List<ScheduleFacts>> schedules) {
        return Meters.register(
                new MeterBook(registry), home, cacheLimit, health, schedules, java.time.Clock.systemUTC());
    }

    /** Answers from now on: whoever asks {@code /health} takes the worker for ready. */
    public void serve() {
        listener.serve();
    }

    /** Where it listens. */
    public String url() {
        return listener.url() + "/metrics";
    }

    @Override
    public void close() {
        listener.close();
        try {
            scope.close();
        } catch (ScopeCloseException e) {
            throw new IllegalStateException("the reporter of meters has nothing to close", e);
        }
        garbage.close();
        meters.close();
    }
}
