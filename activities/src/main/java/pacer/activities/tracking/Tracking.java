package pacer.activities.tracking;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import pacer.activities.run.BadInputException;
import pacer.activities.run.Home;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunRecord;
import pacer.activities.run.RunStatus;
import pacer.activities.run.Stage;
import pacer.activities.run.StageContext;
import pacer.activities.run.StageRecord;
import pacer.trainer.durable.FileGuard;

/**
 * Sends runs to MLflow. {@code events.jsonl} is the spool and {@code tracking.json} the cursor in it, so that whoever was sending may be killed
 * at any moment and another goes on; one at a time, which a lock in the run's folder sees to.
 */
public final class Tracking {
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);

    /** One that has just ended may take a moment to let go. */
    private static final Duration LOCK_PATIENCE = Duration.ofSeconds(2);

    private final Clock clock;
    private final TrackingSettings settings;

    public Tracking(Clock clock, TrackingSettings settings) {
        this.clock = clock;
        this.settings = settings;
    }

    /** Hears once where the run {@code record} is to be seen. */
    @FunctionalInterface
    public interface Pages {
        void tracked(RunRecord record, String page);
    }

    /** Follows a run until it has ended and all of it is sent. A server that does not answer is waited for. */
    public TrackingResult follow(Home home, TrackingRequest request, StageContext context, Pages pages)
            throws IOException, InterruptedException {
        RunFolder folder = home.run(request.run());
        SystemMetrics system = new SystemMetrics(settings.sampling());
        try (FileGuard _ = lock(folder, context);
                MlflowServer server = new MlflowServer(settings, context)) {
            RunTracker tracker = new RunTracker(folder, request, server, settings, context);
            Outage outage = new Outage();
            boolean told = false;
            while (true) {
                context.check();
                if (!folder.exists()) {
                    throw new BadInputException(folder.path() + ": no run is here any more, so none is followed");
                }
                // before the events: those told before its end are in the file by then
                RunRecord record = folder.read();
                sample(system, record);
                if (outage.isOver()) {
                    try {
                        tracker.send(record, system);
                        if (!told) {
                            pages.tracked(record, tracker.result(null).url());
                            told = true;
                        }
                        if (record.status() != RunStatus.RUNNING) {
                            TrackingResult all = tracker.end(record, false);
                            outage.ended(context); // not before: until it takes the end too, it goes on
                            return all;
                        }
                        outage.ended(context);
                    } catch (TrackingException e) {
                        outage.begun(e, context);
                    }
                }
                Thread.sleep(settings.poll());
            }
        }
    }

    /**
     * Sends what there is of a run.
     *
     * @throws IOException also when another process sends it
     */
    public TrackingResult publish(RunFolder folder, StageContext context) throws IOException, InterruptedException {
        try (FileGuard _ = FileGuard.tryTake(lockFile(folder), LOCK_PATIENCE)
                        .orElseThrow(
                                () -> new IOException(
                                        "run " + folder.id()
                                                + " is being sent by another process, which follows it to its end; there is nothing to do"));
                MlflowServer server = new MlflowServer(settings, context)) {
            TrackingRequest request = TrackingRequest.of(folder.id());
            RunTracker tracker = new RunTracker(folder, request, server, settings, context);
            RunRecord record = folder.read();
            tracker.send(record, new SystemMetrics(settings.sampling()));
            return record.status() == RunStatus.RUNNING ? tracker.result(null) : tracker.end(record, true);
        }
    }

    /** Whether all of a run that has ended is in MLflow. */
    public boolean isComplete(RunFolder folder) throws IOException {
        TrackingCursor cursor = TrackingCursor.read(folder, settings);
        return cursor != null && RunTracker.ending(folder.read()).equals(cursor.ending());
    }

    /** How much of a run is sent: something that changes when more is. */
    public String state(RunFolder folder) throws IOException {
        return String.valueOf(TrackingCursor.read(folder, settings));
    }

    /** Address of a run's page, where it was sent to this server before. */
    public Optional<String> page(RunFolder folder) throws IOException {
        return Optional.ofNullable(TrackingCursor.read(folder, settings)).map(TrackingCursor::page);
    }

    private static FileGuard lock(RunFolder folder, StageContext context) throws IOException, InterruptedException {
        return FileGuard.take(lockFile(folder), context::check);
    }

    private static Path lockFile(RunFolder folder) {
        return folder.path().resolve(".tracking.lock");
    }

    private void sample(SystemMetrics system, RunRecord record) {
        boolean training = record.stage(Stage.TRAIN)
                .filter(stage -> stage.status() == StageRecord.Status.RUNNING)
                .isPresent();
        if (training) {
            system.sample(record.created(), clock.instant());
        } else {
            system.pause();
        }
    }

    /** A time in which the server does not answer: it is asked ever more seldom, and people are told once. */
    private static final class Outage {
        private long next = System.nanoTime();
        private Duration pause = Duration.ZERO;

        boolean isOver() {
            return System.nanoTime() - next >= 0;
        }

        /** @throws TrackingException what was told, unless it may pass by itself */
        void begun(TrackingException e, StageContext context) throws TrackingException {
            if (!e.isOutage()) {
                throw e;
            }
            if (pause.isZero()) {
                context.notice(e.getMessage() + "; the run goes on, and what is not sent yet is sent when it answers");
            }
            Duration twice = pause.isZero() ? Duration.ofSeconds(1) : pause.multipliedBy(2);
            pause = twice.compareTo(LONGEST_PAUSE) < 0 ? twice : LONGEST_PAUSE;
            next = System.nanoTime() + pause.toNanos();
        }

        void ended(StageContext context) {
            if (!pause.isZero()) {
                context.notice("MLflow answers again, and has all that was told so far");
            }
            pause = Duration.ZERO;
        }
    }
}
