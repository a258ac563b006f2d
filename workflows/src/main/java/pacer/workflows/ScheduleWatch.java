package pacer.workflows;

import io.temporal.client.WorkflowExecutionMetadata;
import java.time.Duration;
import java.time.Instant;
import java.util.Iterator;
import java.util.List;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import pacer.workflows.metrics.ScheduleFacts;

/**
 * Looks now and then how the schedules of reproductions keep to their times, for metrics: a scrape does not wait for the service. While that
 * does not answer, what was last known stands.
 */
final class ScheduleWatch implements Supplier<List<ScheduleFacts>>, AutoCloseable {
    private static final Duration PAUSE = Duration.ofSeconds(15);

    /** One works at a time, and those that failed since the last result are few. */
    private static final int LOOKED_AT = 100;

    /** What a query can quote as it is; pacer makes no other names. */
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9._-]+");

    private final TemporalConnection connection;
    private final Schedules schedules;
    private final Thread thread;
    private volatile List<ScheduleFacts> newest = List.of();

    ScheduleWatch(TemporalConnection connection) {
        this.connection = connection;
        this.schedules = new Schedules(connection);
        this.thread = Thread.ofVirtual().name("schedule-watch").unstarted(this::work);
    }

    /** Looks from now on, until it is closed; {@code connection} stays the caller's. */
    static ScheduleWatch start(TemporalConnection connection) {
        ScheduleWatch watch = new ScheduleWatch(connection);
        watch.thread.start();
        return watch;
    }

    private void work() {
        try {
            while (true) {
                try {
                    newest = look();
                } catch (RuntimeException e) {
                    // the service does not answer, or refuses; a worker for which it never does says so elsewhere
                }
                Thread.sleep(PAUSE);
            }
        } catch (InterruptedException e) {
            return; // closed
        }
    }

    /** One look, at once. */
    List<ScheduleFacts> look() {
        return schedules.list().stream()
                .filter(schedule -> PLAIN.matcher(schedule.name()).matches())
                .map(this::facts)
                .toList();
    }

    /** The service lists what is at work first, then what ended, the newest first. */
    private ScheduleFacts facts(Schedules.Standing schedule) {
        String query = "WorkflowType = '%s' AND TemporalScheduledById = '%s'"
                .formatted(Reproduce.class.getSimpleName(), schedule.name());
        Instant owed = null;
        Instant result = null;
        try (Stream<WorkflowExecutionMetadata> all = connection.client().listExecutions(query)) {
            Iterator<WorkflowExecutionMetadata> started = all.limit(LOOKED_AT).iterator();
            while (result == null && started.hasNext()) {
                WorkflowExecutionMetadata one = started.next();
                if (one.getCloseTime() != null && one.getMemo("verdict", String.class) != null) {
                    result = one.getCloseTime();
                } else if (owed == null || one.getStartTime().isBefore(owed)) {
                    owed = one.getStartTime();
                }
            }
        }
        return new ScheduleFacts(
                schedule.name(), result, owed, schedule.interval().orElse(null));
    }

    @Override
    public List<ScheduleFacts> get() {
        return newest;
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
