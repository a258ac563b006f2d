package pacer.workflows.metrics;

import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import pacer.workflows.metrics.MeterBook.Point;

/** The host's NVIDIA GPUs; no series where there is none. */
final class GpuMeters {
    private static final String[] LABELS = {"gpu", "model"};

    /** A scrape reads every meter: the GPUs are asked once for all of them. */
    private static final long MEMORY_NANOS = 1_000_000_000L;

    private final Supplier<List<Gpu>> source;
    private List<Gpu> newest;
    private long read;

    private GpuMeters(Supplier<List<Gpu>> source) {
        this.source = source;
    }

    /**
     * What a GPU says of itself. What it does not say is null.
     *
     * @param answers false where the driver cannot reach it: it has fallen off the bus, or hangs
     * @param utilization part of the last moments in which a kernel ran, 0 to 1
     * @param uncorrectedErrors of its memory, since the driver was loaded
     */
    record Gpu(
            int index,
            String model,
            boolean answers,
            Double utilization,
            Long memoryUsed,
            Long memoryTotal,
            Double watts,
            Double celsius,
            Long uncorrectedErrors) {}

    /** @param source null where there is no driver */
    static void register(MeterBook book, Supplier<List<Gpu>> source) {
        GpuMeters gpus = new GpuMeters(source == null ? List::of : source);
        gpus.gauge(
                book,
                "pacer_gpu_up",
                "1 for a GPU that answers, 0 for one that does not.",
                gpu -> gpu.answers() ? 1 : 0);
        gpus.gauge(
                book,
                "pacer_gpu_utilization_ratio",
                "Part of the time in which a kernel ran on a GPU.",
                Gpu::utilization);
        gpus.gauge(book, "pacer_gpu_memory_used_bytes", "Memory of a GPU in use, by any process.", Gpu::memoryUsed);
        gpus.gauge(book, "pacer_gpu_memory_total_bytes", "Memory that a GPU has.", Gpu::memoryTotal);
        gpus.gauge(book, "pacer_gpu_power_watts", "Power that a GPU draws.", Gpu::watts);
        gpus.gauge(book, "pacer_gpu_temperature_celsius", "Temperature of a GPU's chip.", Gpu::celsius);
        book.count(
                "pacer_gpu_uncorrected_errors_total",
                "Errors of a GPU's memory that could not be corrected, since the driver was loaded.",
                LABELS,
                () -> gpus.points(Gpu::uncorrectedErrors));
    }

    private void gauge(MeterBook book, String name, String help, Function<Gpu, Number> value) {
        book.gauge(name, help, LABELS, () -> points(value));
    }

    private Stream<Point> points(Function<Gpu, ? extends Number> value) {
        return newest().stream().map(gpu -> Point.of(value.apply(gpu), Integer.toString(gpu.index()), gpu.model()));
    }

    private synchronized List<Gpu> newest() {
        if (newest == null || System.nanoTime() - read > MEMORY_NANOS) {
            newest = source.get();
            read = System.nanoTime();
        }
        return newest;
    }
}
