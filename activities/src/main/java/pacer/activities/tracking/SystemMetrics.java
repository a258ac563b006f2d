package pacer.activities.tracking;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.stream.Stream;
import pacer.activities.tracking.Points.Point;

/**
 * CPU and memory of the host, and of the processes that this one started (a worker's trainers), under MLflow's own names. Samples wait here
 * until they are sent; they are of the moment, so that those that a killed process had not sent are gone.
 */
final class SystemMetrics {
    /** A day of samples: an outage longer than that costs the oldest. */
    private static final int KEPT = 6 * 60 * 24 * 5;

    private final Queue<Point> waiting = new ArrayDeque<>();
    private final Duration interval;
    private final OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    private Instant last = Instant.MIN;
    private Duration used = Duration.ZERO;

    SystemMetrics(Duration interval) {
        this.interval = interval;
        system.getCpuLoad(); // it tells what was between two calls
    }

    /** Takes a sample if it is time for one. Steps are seconds since {@code begun}, as MLflow's are numbers of samples. */
    void sample(Instant begun, Instant now) {
        if (last.equals(Instant.MIN)) {
            last = now;
            used = childrensTime();
            return;
        }
        if (now.isBefore(last.plus(interval))) {
            return;
        }
        long step = Duration.between(begun, now).toSeconds();
        double megabytes = usedBytes() / 1e6;
        Duration worked = childrensTime();
        double seconds = Duration.between(last, now).toMillis() / 1e3;
        double busy = (worked.toMillis() - used.toMillis()) / 1e3 / seconds;
        last = now;
        used = worked;
        add("cpu_utilization_percentage", 100 * system.getCpuLoad(), now, step);
        add("system_memory_usage_megabytes", megabytes, now, step);
        add("system_memory_usage_percentage", 100 * megabytes * 1e6 / system.getTotalMemorySize(), now, step);
        add("trainer_cpu_cores", Math.max(0, busy), now, step); // less than none: one of them has ended
        add("trainer_memory_usage_megabytes", childrensBytes() / 1e6, now, step);
    }

    /** Forgets when the last sample was: what follows is another training. */
    void pause() {
        last = Instant.MIN;
    }

    private void add(String key, double value, Instant now, long step) {
        if (waiting.size() >= KEPT) {
            waiting.remove();
        }
        waiting.add(new Point("system/" + key, value, now, step, null));
    }

    /** The samples that were not {@link #sent} yet. */
    List<Point> waiting() {
        return new ArrayList<>(waiting);
    }

    void sent(List<Point> points) {
        waiting.removeAll(points);
    }

    /** What programs use; what the system could take back for them counts as free where that is told. */
    private double usedBytes() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/meminfo"))) {
            return system.getTotalMemorySize()
                    - lines.filter(line -> line.startsWith("MemAvailable:"))
                            .mapToDouble(line -> 1024 * Double.parseDouble(line.replaceAll("\\D", "")))
                            .findFirst()
                            .orElse((double) system.getFreeMemorySize());
        } catch (IOException e) {
            return system.getTotalMemorySize() - (double) system.getFreeMemorySize();
        }
    }

    private static Duration childrensTime() {
        return ProcessHandle.current()
                .descendants()
                .flatMap(child -> child.info().totalCpuDuration().stream())
                .reduce(Duration.ZERO, Duration::plus);
    }

    private static double childrensBytes() {
        return ProcessHandle.current()
                .descendants()
                .mapToDouble(child -> residentBytes(child.pid()))
                .sum();
    }

    private static double residentBytes(long pid) {
        try (Stream<String> lines = Files.lines(Path.of("/proc/" + pid + "/status"))) {
            return lines.filter(line -> line.startsWith("VmRSS:"))
                    .mapToDouble(line -> 1024 * Double.parseDouble(line.replaceAll("\\D", "")))
                    .findFirst()
                    .orElse(0);
        } catch (IOException | UncheckedIOException e) {
            return 0; // it has ended, or this system does not tell
        }
    }
}
