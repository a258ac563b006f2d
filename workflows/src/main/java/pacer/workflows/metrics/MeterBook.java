package pacer.workflows.metrics;

import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.core.metrics.Info;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** Registers meters and knows which there are, for the table in the guide. */
final class MeterBook {
    private final PrometheusRegistry registry;
    private final List<Meter> meters = new ArrayList<>();

    MeterBook(PrometheusRegistry registry) {
        this.registry = registry;
    }

    /** A meter as people read of it. */
    record Meter(String name, String type, List<String> labels, String help) {}

    /** A gauge's value at one place of its labels; a null value is none. */
    record Point(Double value, List<String> labels) {
        static Point of(Number value, String... labels) {
            return new Point(value == null ? null : value.doubleValue(), List.of(labels));
        }
    }

    List<Meter> meters() {
        return List.copyOf(meters);
    }

    Counter counter(String name, String help, String... labels) {
        describe(name, "counter", help, labels);
        return Counter.builder()
                .name(name)
                .help(help)
                .labelNames(labels)
                .withoutExemplars()
                .register(registry);
    }

    /** One with these buckets, so that they are the same on every worker and can be added up. */
    Histogram histogram(String name, String help, double[] buckets, String... labels) {
        describe(name, "histogram", help, labels);
        return Histogram.builder()
                .name(name)
                .help(help)
                .labelNames(labels)
                .classicOnly()
                .classicUpperBounds(buckets)
                .withoutExemplars()
                .register(registry);
    }

    /** A gauge read when it is asked for; while its value is null the series is not there. */
    void gauge(String name, String help, Supplier<? extends Number> value) {
        gauge(name, help, new String[0], () -> Stream.of(Point.of(value.get())));
    }

    /** One of several series. */
    void gauge(String name, String help, String[] labels, Supplier<Stream<Point>> points) {
        describe(name, "gauge", help, labels);
        GaugeWithCallback.builder()
                .name(name)
                .help(help)
                .labelNames(labels)
                .callback(callback -> tell(points, callback::call))
                .register(registry);
    }

    /** A count that somebody else keeps. */
    void count(String name, String help, String[] labels, Supplier<Stream<Point>> points) {
        describe(name, "counter", help, labels);
        CounterWithCallback.builder()
                .name(name)
                .help(help)
                .labelNames(labels)
                .callback(callback -> tell(points, callback::call))
                .register(registry);
    }

    /** Takes a value and its labels. */
    private interface Series {
        void take(double value, String... labels);
    }

    private static void tell(Supplier<Stream<Point>> points, Series series) {
        points.get()
                .filter(point -> point.value() != null)
                .forEach(point -> series.take(point.value(), point.labels().toArray(String[]::new)));
    }

    Info info(String name, String help, String... labels) {
        describe(name, "info", help, labels);
        return Info.builder().name(name).help(help).labelNames(labels).register(registry);
    }

    private void describe(String name, String type, String help, String... labels) {
        meters.add(new Meter(name, type, List.copyOf(Arrays.asList(labels)), help));
    }

    /** How a constant is written as a label's value. */
    static String label(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
