package pacer.workflows.metrics;

import io.prometheus.metrics.core.metrics.Info;
import java.time.Clock;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import pacer.activities.host.HostHealth;
import pacer.activities.run.Home;
import pacer.activities.run.RunUpdate;

/**
 * The meters of a worker's runs, fed by what happens in its stages. A worker trains one run at a time, so gauges have no run's id: they
 * show the run that has the slot for training, or else was heard of last, and {@code pacer_run_info} says which that is. Several
 * workers differ by {@code instance}, Prometheus' own label.
 *
 * <p>What only a run in progress has (loss, step, throughput) is gone when it is over, so that no dashboard shows what was for what is;
 * timestamps, cost and result stay until the next.
 */
final class Meters implements BiConsumer<String, RunUpdate> {
    /** Runs worth remembering: those in progress, and there are but few on a host. */
    private static final int REMEMBERED = 32;

    private final Home home;
    private final Clock clock;
    private final RunCounts counts;
    private final Info info;
    private final Map<String, WatchedRun> runs = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, WatchedRun> eldest) {
            return size() > REMEMBERED;
        }
    };
    private WatchedRun shown;
    private WatchedRun result;

    private Meters(MeterBook book, Home home, Clock clock) {
        this.home = home;
        this.clock = clock;
        this.info = book.info(
                "pacer_run",
                "Which run the gauges show: the one at work or worked on last (role work), and the one of the result gauges (role result).",
                "role",
                "run",
                "preset",
                "spec",
                "commit",
                "host",
                "dataset");
        RunGauges.register(book, this);
        this.counts = new RunCounts(book);
    }

    /** All meters of ours; the returned one is to hear of everything. */
    static Meters register(
            MeterBook book,
            Home home,
            OptionalLong cacheLimit,
            HostHealth health,
            Supplier<List<ScheduleFacts>> schedules,
            Clock clock) {
        Meters meters = new Meters(book, home, clock);
        CacheMeters.register(book, home, clock, cacheLimit);
        GpuMeters.register(book, Nvml.open().orElse(null));
        HealthMeters.register(book, health);
        ScheduleMeters.register(book, schedules);
        return meters;
    }

    @Override
    public synchronized void accept(String id, RunUpdate update) {
        if (id == null) {
            return;
        }
        boolean turn = isTurn(update);
        // last words of a run that is closed must not bring it back
        WatchedRun run = turn ? runs.computeIfAbsent(id, i -> new WatchedRun()) : runs.get(id);
        counts.take(run, update);
        if (run == null) {
            return;
        }
        if (turn) {
            run.facts = RunFacts.read(home, id).orElse(run.facts);
        }
        run.take(update, clock.instant());
        if (run.hasTheSlot()) {
            // whoever had the slot has it no more, heard of or not: a workflow may be terminated while its training
            // waits to be tried again
            runs.values().stream()
                    .filter(other -> other != run && other.hasTheSlot())
                    .forEach(other -> other.rest(clock.instant()));
        }
        if (shown == null || run.hasTheSlot() || !shown.hasTheSlot()) {
            shown = run;
        }
        if (turn) {
            turned(id, run, update);
        }
    }

    /** Whether it may change what is known of the run; such happen a few times a run, the others all the time. */
    private static boolean isTurn(RunUpdate update) {
        return switch (update) {
            case RunUpdate.Opened _, RunUpdate.StageStarted _, RunUpdate.StageEnded _, RunUpdate.Closed _ -> true;
            case RunUpdate.Advanced _,
                    RunUpdate.Trained _,
                    RunUpdate.Evaluated _,
                    RunUpdate.Linked _,
                    RunUpdate.Notice _,
                    RunUpdate.Stalled _ -> false;
        };
    }

    private void turned(String id, WatchedRun run, RunUpdate update) {
        if (run.verdict != null) {
            result = run;
        }
        tellOf("work", shown, info::setLabelValues);
        tellOf("result", result, info::addLabelValues);
        if (update instanceof RunUpdate.Closed) {
            runs.remove(id);
        }
    }

    private static void tellOf(String role, WatchedRun run, Consumer<String[]> row) {
        if (run != null && run.facts != null) {
            row.accept(run.facts.labels(role));
        }
    }

    /** A value of the run that the gauges show; null without one. */
    <T> Supplier<T> ofRun(Function<WatchedRun, T> value) {
        return () -> {
            synchronized (this) {
                return shown == null ? null : value.apply(shown);
            }
        };
    }

    /** The same, while somebody works on it. */
    <T> Supplier<T> atWork(Function<WatchedRun, T> value) {
        return ofRun(run -> run.atWork ? value.apply(run) : null);
    }

    /** The same, while it trains. */
    <T> Supplier<T> training(Function<WatchedRun, T> value) {
        return ofRun(run -> run.trains() ? value.apply(run) : null);
    }

    /** A value of the run that was judged last. */
    <T> Supplier<T> ofResult(Function<WatchedRun, T> value) {
        return () -> {
            synchronized (this) {
                return result == null ? null : value.apply(result);
            }
        };
    }

    /** How many runs are as {@code condition} says. */
    synchronized long number(Predicate<WatchedRun> condition) {
        return runs.values().stream().filter(condition).count();
    }

    Instant now() {
        return clock.instant();
    }
}
