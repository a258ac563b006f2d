package pacer.workflows.metrics;

import com.sun.net.httpserver.HttpServer;
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
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.OptionalLong;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.BiConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import pacer.activities.run.BadInputException;
import pacer.activities.run.Home;
import pacer.activities.run.RunUpdate;

/**
 * {@code /metrics} for Prometheus and {@code /health} for whoever starts a worker: the JVM's, the Temporal SDK's and the runs' meters in one registry.
 */
public final class MetricsEndpoint implements AutoCloseable {
    private static final Pattern ADDRESS = Pattern.compile("(?:(\\[[0-9A-Fa-f:]+]|[A-Za-z0-9._-]+):)?([0-9]{1,5})");
    private static final double SCRAPE_SECONDS = 5;

    private final PrometheusRegistry registry = new PrometheusRegistry();
    private final PrometheusMeterRegistry meters;
    private final JvmGcMetrics garbage = new JvmGcMetrics();
    private final Scope scope;
    private final HttpServer server;
    private final ExecutorService threads =
            Executors.newFixedThreadPool(2, Thread.ofPlatform().daemon().factory());

    private MetricsEndpoint(InetSocketAddress address) throws IOException {
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
        try {
            this.server = HttpServer.create(address, 0);
        } catch (IOException e) {
            throw new BadInputException(
                    "metrics address %s:%d cannot be had: %s; give another with --metrics HOST:PORT or PACER_METRICS"
                            .formatted(address.getHostString(), address.getPort(), e.getMessage()),
                    e);
        }
        server.setExecutor(threads);
        server.createContext("/metrics", new MetricsHandler(registry));
        server.createContext("/health", exchange -> {
            try (exchange) {
                byte[] answer = "ok\n".getBytes(StandardCharsets.UTF_8);
                exchange.sendResponseHeaders(200, answer.length);
                exchange.getResponseBody().write(answer);
            }
        });
    }

    /**
     * Listens at {@code address}, {@code HOST:PORT} or a port of the loopback address, once {@link #serve} is called.
     *
     * @throws BadInputException when it is none, or cannot be had
     */
    public static MetricsEndpoint at(String address) throws IOException {
        Matcher parts = ADDRESS.matcher(address.strip());
        if (!parts.matches() || Integer.parseInt(parts.group(2)) > 65_535) {
            throw new BadInputException(
                    "metrics address '%s': must be PORT or HOST:PORT, such as 127.0.0.1:9464".formatted(address));
        }
        String host = parts.group(1) == null ? "127.0.0.1" : parts.group(1).replaceAll("[\\[\\]]", "");
        return new MetricsEndpoint(
                new InetSocketAddress(InetAddress.getByName(host), Integer.parseInt(parts.group(2))));
    }

    /** For the Temporal SDK. */
    public Scope scope() {
        return scope;
    }

    /** Registers the meters of runs, cache and GPUs; what is returned is to hear of all that happens in this process's stages. */
    public BiConsumer<String, RunUpdate> follow(Home home, OptionalLong cacheLimit) {
        return Meters.register(new MeterBook(registry), home, cacheLimit, java.time.Clock.systemUTC());
    }

    /** Answers from now on: whoever asks {@code /health} takes the worker for ready. */
    public void serve() {
        server.start();
    }

    /** Where it listens. */
    public String url() {
        InetSocketAddress at = server.getAddress();
        String host = at.getAddress().getHostAddress();
        return "http://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + at.getPort() + "/metrics";
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
        try {
            scope.close();
        } catch (ScopeCloseException e) {
            throw new IllegalStateException("the reporter of meters has nothing to close", e);
        }
        garbage.close();
        meters.close();
    }
}
