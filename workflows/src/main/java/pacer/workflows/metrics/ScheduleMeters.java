package pacer.workflows.metrics;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import pacer.workflows.metrics.MeterBook.Point;

/** Schedules of reproductions, as Temporal knows them; no series on a worker that does not decide. */
final class ScheduleMeters {
    private static final double MILLIS = 1e3;

    private ScheduleMeters() {}

    static void register(MeterBook book, Supplier<List<ScheduleFacts>> schedules) {
        gauge(
                book,
                schedules,
                "pacer_schedule_last_result_timestamp_seconds",
                "When a reproduction that a schedule started came to a verdict last; absent while none is known to Temporal.",
                schedule -> seconds(schedule.lastResult()));
        gauge(
                book,
                schedules,
                "pacer_schedule_owed_since_timestamp_seconds",
                "When the first reproduction of a schedule began that has come to no verdict, since the last that did; absent where none is owed.",
                schedule -> seconds(schedule.owedSince()));
        gauge(
                book,
                schedules,
                "pacer_schedule_interval_seconds",
                "The longest time between a schedule's next starts; absent while it is paused.",
                schedule -> seconds(schedule.interval()));
    }

    private static void gauge(
            MeterBook book,
            Supplier<List<ScheduleFacts>> schedules,
            String name,
            String help,
            Function<ScheduleFacts, Double> value) {
        book.gauge(name, help, new String[] {"schedule"}, () -> schedules.get().stream()
                .map(schedule -> Point.of(value.apply(schedule), schedule.name())));
    }

    private static Double seconds(Instant time) {
        return time == null ? null : time.toEpochMilli() / MILLIS;
    }

    private static Double seconds(Duration time) {
        return time == null ? null : time.toMillis() / MILLIS;
    }
}
