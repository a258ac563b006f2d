package pacer.activities.run;

import io.temporal.activity.Activity;
import io.temporal.activity.ActivityExecutionContext;
import io.temporal.activity.ActivityInfo;
import io.temporal.client.ActivityCompletionException;
import io.temporal.failure.ApplicationFailure;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import pacer.trainer.durable.Host;

/** {@link Runs} as Temporal activities. */
public final class RunActivityImpl implements RunActivity {
    private final Runs runs;
    private final RunHub hub;
    private final Supplier<Surroundings> surroundings;
    private final Closing closing;
    private final Supplier<Optional<String>> unfit;

    /** Hears of runs that were closed, once each. */
    @FunctionalInterface
    public interface Closing {
        void closed(RunEnding ending);
    }

    /** @param unfit why this host must not compute any more: then it opens no run, as it would have to train it */
    public RunActivityImpl(
            Runs runs,
            RunHub hub,
            Supplier<Surroundings> surroundings,
            Closing closing,
            Supplier<Optional<String>> unfit) {
        this.closing = closing;
        this.unfit = unfit;
        this.runs = runs;
        this.hub = hub;
        this.surroundings = surroundings;
    }

    @Override
    public RunPlan open(RunRequest request) {
        Optional<String> why = unfit.get();
        if (why.isPresent()) {
            // asked for before it was; the next attempt is another host's
            throw ApplicationFailure.newFailure(
                    "host %s is drained, %s; it opens no run".formatted(Host.name(), why.get()),
                    ActivityStage.HOST_DRAINED);
        }
        try (Heartbeats _ = Heartbeats.begin()) {
            ActivityInfo info = Activity.getExecutionContext().getInfo();
            return runs.open(request, info.getWorkflowId(), info.getWorkflowRunId())
                    .in(surroundings.get());
        } catch (IOException | RuntimeException e) {
            throw told(request == null ? null : request.run(), Stage.DATASET, "the run was not opened", e);
        }
    }

    @Override
    public int amend(RunAmendment amendment) {
        try {
            return runs.amend(amendment);
        } catch (IOException | RuntimeException e) {
            throw told(amendment.run(), Stage.TRAIN, "where training ends was not changed", e);
        }
    }

    @Override
    public void close(RunEnding ending) {
        try {
            runs.close(ending);
            closing.closed(ending);
        } catch (IOException | RuntimeException e) {
            String what = ending.status() == RunStatus.FINISHED
                    ? "finished and published, but the run's record was not closed"
                    : "the run's record was not closed";
            throw told(ending.run(), Stage.PUBLISH, what, e);
        }
    }

    /** The failure by which the service hears of {@code e}; people hear of it now. */
    private RuntimeException told(String run, Stage stage, String what, Exception e) {
        RuntimeException failure = ActivityStage.failure(e);
        if (run != null) {
            ActivityInfo info = Activity.getExecutionContext().getInfo();
            String next = ActivityStage.pause(failure, info)
                    .map(pause -> "; trying again in " + Math.max(1, pause.toSeconds()) + " s")
                    .orElse("");
            hub.tell(run, new RunUpdate.Notice(stage, what + ": " + Reasons.of(e) + next));
        }
        return failure;
    }

    /** Heartbeats of an activity that is no stage and cannot be stopped: they tell nothing but that its worker lives. */
    private static final class Heartbeats implements AutoCloseable {
        private static final long BEAT_MILLIS = 500;

        private final ActivityExecutionContext context = Activity.getExecutionContext();
        private final CountDownLatch ended = new CountDownLatch(1);

        private Heartbeats() {}

        /** Begins those of the activity at hand. */
        static Heartbeats begin() {
            Heartbeats beats = new Heartbeats();
            Thread.ofVirtual().name("heartbeat-open").start(beats::beat);
            return beats;
        }

        private void beat() {
            try {
                do {
                    context.heartbeat(null);
                } while (!ended.await(BEAT_MILLIS, TimeUnit.MILLISECONDS));
            } catch (ActivityCompletionException e) {
                return; // given up: the service takes no answer of it
            } catch (InterruptedException e) {
                throw new IllegalStateException("nobody interrupts this thread", e);
            }
        }

        @Override
        public void close() {
            ended.countDown();
        }
    }
}
