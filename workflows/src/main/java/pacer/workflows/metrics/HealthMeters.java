package pacer.workflows.metrics;

import java.util.stream.Stream;
import pacer.activities.host.HostHealth;
import pacer.workflows.metrics.MeterBook.Point;

/** Errors of GPUs that the kernel's log told of, and whether the host is drained for one; no counts where nobody reads that log. */
final class HealthMeters {
    private static final String[] LABELS = {"xid", "drain"};

    private HealthMeters() {}

    static void register(MeterBook book, HostHealth health) {
        book.gauge(
                "pacer_host_drained",
                "1 for a host that takes no training until its worker is started again, as one of its GPUs has failed.",
                () -> health.unfit().isPresent() ? 1 : 0);
        book.count(
                "pacer_gpu_xid_errors_total",
                "Errors of GPUs (Xids) in the kernel's log, by number, and whether such a one drains the host.",
                LABELS,
                () -> points(health));
    }

    private static Stream<Point> points(HostHealth health) {
        return health.counts().stream()
                .map(count -> Point.of(
                        count.number(),
                        Integer.toString(count.errors().code()),
                        Boolean.toString(count.errors().draining())));
    }
}
