package pacer.activities.run;

import io.temporal.activity.Activity;
import io.temporal.activity.ActivityExecutionContext;
import io.temporal.activity.ActivityInfo;
import io.temporal.client.ActivityCanceledException;
import io.temporal.client.ActivityCompletionException;
import io.temporal.client.ActivityPausedException;
import io.temporal.client.ActivityResetException;
import io.temporal.client.ActivityWorkerShutdownException;
import io.temporal.client.WorkflowException;
import io.temporal.client.WorkflowTargetOptions;
import io.temporal.common.RetryOptions;
import io.temporal.failure.ApplicationFailure;
import io.temporal.failure.TimeoutFailure;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import pacer.trainer.data.BadDataException;
import pacer.trainer.spec.SpecException;

/**
 * Runs the plain bodies of stages inside Temporal activities: heartbeats from a thread of its own with the newest progress,
 * turns what a heartbeat is told (cancelled, worker shutting down, given up) into a {@link StageContext.Stop}, tells the
 * workflow how far the stage is now and then, and gives failures the types that retry policies know.
 */
public final class ActivityStage {
    /** Signal of the workflow that takes a {@link Progress}. */
    public static final String PROGRESS_SIGNAL = "advanced";

    /** Signal of the workflow that takes the address of the run's page in MLflow. */
    public static final String TRACKED_SIGNAL = "tracked";

    /** Type of failures that no retry can mend: something given is wrong. */
    public static final String BAD_INPUT = "BadInput";

    /** Type of failures that staging the dataset again, and training on from a sound checkpoint, mends. */
    public static final String DAMAGED_COPY = "DamagedCopy";

    /** Type of failures that making the dataset again mends. */
    public static final String DAMAGED_DATASET = "DamagedDataset";

    /** Detail of failures of those two types where nothing is damaged, only gone. */
    private static final String EVICTED = "evicted";

    /** Type of the failure by which a run that has used up its budget is stopped. */
    public static final String OVER_BUDGET = "OverBudget";

    /** Type of failures of a host that must not compute: another one may take it. */
    public static final String HOST_DRAINED = "HostDrained";

    private static final String FAILED = "StageFailed";
    private static final Duration BEAT = Duration.ofMillis(500);

    /** How long the end of a stage waits for a heartbeat that is under way. */
    private static final Duration LAST_BEAT = Duration.ofSeconds(2);

    private final Home home;
    private final RunHub hub;
    private final Supplier<Optional<String>> unfit;

    public ActivityStage(Home home, RunHub hub) {
        this(home, hub, Optional::empty);
    }

    /** @param unfit why this host must not compute any more */
    public ActivityStage(Home home, RunHub hub, Supplier<Optional<String>> unfit) {
        this.home = home;
        this.hub = hub;
        this.unfit = unfit;
    }

    /** The body of a stage. */
    @FunctionalInterface
    public interface Body<T> {
        T run(StageContext context) throws IOException, InterruptedException;
    }

    /**
     * Runs {@code body} as the activity at hand, its run leased meanwhile.
     *
     * @param run null where the stage is nobody's
     */
    public <T> T run(Stage stage, String run, Body<T> body) {
        return run(new Execution(home, stage, run, run, true, hub, null, null, unfit), run, body);
    }

    /**
     * The same for an activity that the service tries once, as its workflow begins another one after a failure that is worth it.
     *
     * @param followed about how soon
     * @param since when the first of these was asked for; null for this one
     */
    public <T> T runOnce(Stage stage, String run, Duration followed, Instant since, Body<T> body) {
        return run(new Execution(home, stage, run, run, true, hub, followed, since, unfit), run, body);
    }

    /** Sends {@code argument} to the workflow of the activity at hand. */
    public static void signal(String name, Object argument) {
        signaller(name).accept(argument);
    }

    /** Sends signals {@code name} to the workflow of the activity at hand, from any thread; throws where the service does not answer. */
    public static <T> Consumer<T> signaller(String name) {
        ActivityExecutionContext context = Activity.getExecutionContext();
        WorkflowTargetOptions workflow = workflow(context.getInfo());
        return argument ->
                context.getWorkflowClient().newUntypedWorkflowStub(workflow).signal(name, argument);
    }

    private static WorkflowTargetOptions workflow(ActivityInfo info) {
        return WorkflowTargetOptions.newBuilder()
                .setWorkflowId(info.getWorkflowId())
                .setRunId(info.getWorkflowRunId())
                .build();
    }

    /**
     * Runs {@code body} as the activity at hand, which works for no run in particular.
     *
     * @param name under which people hear of it
     * @param signals whether the workflow is told how far it is: not where it is one of very many
     */
    public <T> T work(Stage stage, String name, boolean signals, Body<T> body) {
        return run(new Execution(home, stage, null, name, signals, hub, null, null, unfit), null, body);
    }

    private <T> T run(Execution begun, String run, Body<T> body) {
        try (Execution execution = begun) {
            try {
                return leased(run, body, execution);
            } catch (StoppedException e) {
                if (e.stop() == StageContext.Stop.BUDGET) {
                    throw ApplicationFailure.newNonRetryableFailure(e.getMessage(), OVER_BUDGET);
                }
                ActivityCompletionException told = execution.told;
                throw told != null ? told : e;
            } catch (ActivityCompletionException e) {
                throw e;
            } catch (IOException | InterruptedException | RuntimeException e) {
                execution.failed(e);
                throw failure(e);
            }
        }
    }

    private <T> T leased(String run, Body<T> body, Execution execution) throws IOException, InterruptedException {
        if (run == null || !home.run(run).exists()) {
            return body.run(execution); // says what is wrong
        }
        try (RunLease _ =
                RunLease.join(home.run(run), execution.context.getInfo().getWorkflowRunId())) {
            return body.run(execution);
        }
    }

    /** The failure by which the service is told of {@code e}. */
    public static RuntimeException failure(Exception e) {
        return switch (e) {
            case BadInputException bad -> ApplicationFailure.newNonRetryableFailure(bad.getMessage(), BAD_INPUT);
            case SpecException bad -> ApplicationFailure.newNonRetryableFailure(bad.getMessage(), BAD_INPUT);
            case BadDataException bad -> ApplicationFailure.newNonRetryableFailure(bad.getMessage(), BAD_INPUT);
            case DamagedDataException damaged ->
                ApplicationFailure.newNonRetryableFailure(
                        damaged.getMessage(),
                        damaged.mendedBy() == Stage.DATASET ? DAMAGED_DATASET : DAMAGED_COPY,
                        damaged.isEvicted() ? new Object[] {EVICTED} : new Object[0]);
            case StageFailure failed
            when failed.isRefusal() -> ApplicationFailure.newNonRetryableFailure(failed.getMessage(), BAD_INPUT);
            case StageFailure failed
            when failed.retryable() ->
                ApplicationFailure.newBuilder()
                        .setMessage(failed.getMessage())
                        .setType(FAILED)
                        .setCause(failed.getCause())
                        .setNextRetryDelay(failed.pause().orElse(null))
                        .build();
            case StageFailure failed ->
                ApplicationFailure.newNonRetryableFailureWithCause(failed.getMessage(), FAILED, failed.getCause());
            case InterruptedException interrupted -> {
                Thread.currentThread().interrupt();
                yield ApplicationFailure.newFailure("interrupted", "Interrupted");
            }
            case Exception fault
            when Reasons.lasting(fault) ->
                ApplicationFailure.newNonRetryableFailureWithCause(Reasons.of(fault), BAD_INPUT, fault);
            case IOException io -> ApplicationFailure.newFailureWithCause(Reasons.of(io), "Io", io);
            case UncheckedIOException io -> ApplicationFailure.newFailureWithCause(Reasons.of(io), "Io", io);
            default ->
                ApplicationFailure.newFailureWithCause(
                        Reasons.of(e), e.getClass().getName(), e);
        };
    }

    /** Whether {@code failure}, of data that is damaged by its type, is of data that is only gone. */
    public static boolean isEvicted(ApplicationFailure failure) {
        return failure.getDetails().getSize() > 0
                && EVICTED.equals(failure.getDetails().get(String.class));
    }

    /** How long the service waits before it tries again after {@code failure}; empty when it does not. */
    static Optional<Duration> pause(RuntimeException failure, ActivityInfo info) {
        if (failure instanceof ApplicationFailure said && said.isNonRetryable()) {
            return Optional.empty();
        }
        Optional<Duration> ofPolicy = pause(info.getRetryOptions(), info.getAttempt());
        return failure instanceof ApplicationFailure said && said.getNextRetryDelay() != null
                ? ofPolicy.map(_ -> said.getNextRetryDelay())
                : ofPolicy;
    }

    /** The same after the {@code attempt}th of as many as {@code retries} allow. */
    static Optional<Duration> pause(RetryOptions retries, int attempt) {
        if (retries == null || (retries.getMaximumAttempts() > 0 && attempt >= retries.getMaximumAttempts())) {
            return Optional.empty();
        }
        double longest = retries.getMaximumInterval() == null
                ? Double.MAX_VALUE
                : retries.getMaximumInterval().toMillis();
        double millis =
                retries.getInitialInterval().toMillis() * Math.pow(retries.getBackoffCoefficient(), attempt - 1.0);
        return Optional.of(Duration.ofMillis((long) Math.min(longest, millis)));
    }

    /** One activity, from its beginning to its end. */
    private static final class Execution implements StageContext, AutoCloseable {
        private final ActivityExecutionContext context = Activity.getExecutionContext();
        private final AtomicReference<Progress> newest = new AtomicReference<>();
        private final CountDownLatch ended = new CountDownLatch(1);
        private final Home home;
        private final Stage stage;
        private final String run;
        private final String name;
        private final boolean signals;
        private final RunHub hub;
        private final Supplier<Optional<String>> unfit;
        private final Duration followed; // null: by other attempts of its own
        private final Instant since; // null: when it was asked for
        private final Thread heart;
        private volatile ActivityCompletionException told;
        private volatile Long beatingSince; // System.nanoTime(); null between beats
        private volatile boolean cutOff;
        private Exception heard; // the failure that people have been told of

        /** @param run null where it is for none */
        Execution(
                Home home,
                Stage stage,
                String run,
                String name,
                boolean signals,
                RunHub hub,
                Duration followed,
                Instant since,
                Supplier<Optional<String>> unfit) {
            this.since = since;
            this.home = home;
            this.stage = stage;
            this.run = run;
            this.name = name;
            this.signals = signals;
            this.hub = hub;
            this.followed = followed;
            this.unfit = unfit;
            this.heart = Thread.ofPlatform()
                    .daemon()
                    .name("heartbeat-" + stage.label())
                    .start(this::beat);
        }

        private void beat() {
            Instant asked = since != null
                    ? since
                    : Instant.ofEpochMilli(context.getInfo().getScheduledTimestamp());
            ProgressSignals signals = new ProgressSignals(Duration.between(asked, Instant.now()));
            try {
                do {
                    // also after a cancellation: stopping may take longer than the service waits for a heartbeat
                    beat(newest.get(), signals);
                } while (!ended.await(BEAT.toMillis(), TimeUnit.MILLISECONDS));
            } catch (InterruptedException e) {
                throw new IllegalStateException("nobody interrupts this thread", e);
            }
        }

        private void beat(Progress progress, ProgressSignals signals) {
            beatingSince = System.nanoTime();
            try {
                context.heartbeat(progress);
                if (progress != null && this.signals && signals.due(progress)) {
                    signal(progress);
                }
            } catch (ActivityCompletionException e) {
                hear(e);
            } finally {
                beatingSince = null;
            }
        }

        /**
         * Whether this attempt has to take itself for given up: where the line to the service is dead but not closed, a beat hangs for longer
         * than the service waits for one, and nobody can tell.
         */
        private boolean isCutOff() {
            Long since = beatingSince;
            Duration timeout = context.getInfo().getHeartbeatTimeout();
            if (since != null && timeout.isPositive() && System.nanoTime() - since > timeout.toNanos()) {
                cutOff = true; // for good: another attempt may be at work
            }
            return cutOff;
        }

        /** The first that is told counts, unless the service gives the attempt up before it has stopped. */
        private void hear(ActivityCompletionException e) {
            if (told == null || meaning(e) == Stop.ABANDONED) {
                told = e;
            }
        }

        private void signal(Progress progress) {
            try {
                context.getWorkflowClient()
                        .newUntypedWorkflowStub(workflow(context.getInfo()))
                        .signal(PROGRESS_SIGNAL, withCost(progress));
            } catch (WorkflowException e) {
                return; // only the page of the run misses it; the heartbeat decides whether the stage goes on
            }
        }

        /** As its record has it, which is what budgets go by: time worked, without that spent waiting for a slot, a host or a resume. */
        private Progress withCost(Progress progress) {
            try {
                return run == null
                        ? progress
                        : progress.after(home.run(run).read().secondsSpent());
            } catch (IOException e) {
                return progress; // whatever is wrong with the record, the stage meets it itself
            }
        }

        @Override
        public void progress(Progress progress) {
            newest.set(progress);
            if (run != null) {
                hub.tell(run, new RunUpdate.Advanced(progress));
            }
        }

        @Override
        public void notice(String text) {
            if (name != null) {
                hub.tell(name, new RunUpdate.Notice(stage, text));
            }
        }

        @Override
        public Stop stop() {
            if (isCutOff()) {
                return Stop.ABANDONED;
            }
            ActivityCompletionException e = told;
            return e == null ? Stop.NONE : meaning(e);
        }

        @Override
        public Optional<String> unfit() {
            return unfit.get();
        }

        @Override
        public boolean again(Exception failure) {
            Optional<Duration> pause = stop() == Stop.NONE && !(failure instanceof InterruptedException)
                    ? next(failure(failure))
                    : Optional.empty();
            pause.ifPresent(time -> notice("%s did not succeed: %s; trying again in %d s"
                    .formatted(stage.label(), Reasons.of(failure), Math.max(1, time.toSeconds()))));
            heard = failure;
            return pause.isPresent();
        }

        private Optional<Duration> next(RuntimeException failure) {
            Optional<Duration> asked = pause(failure, context.getInfo());
            boolean lasting = failure instanceof ApplicationFailure said && said.isNonRetryable();
            return followed == null ? asked : Optional.of(followed).filter(_ -> !lasting);
        }

        /** Tells people of a failure unless they know: one outside the stage's body, of its record perhaps. */
        void failed(Exception failure) {
            if (heard != failure && name != null && !again(failure)) {
                hub.tell(
                        name,
                        run == null
                                ? new RunUpdate.Notice(stage, Reasons.of(failure))
                                : new RunUpdate.StageEnded(ended(failure)));
            }
        }

        private StageRecord ended(Exception failure) {
            ActivityInfo info = context.getInfo();
            Instant now = Instant.now();
            Instant begun = Instant.ofEpochMilli(info.getStartedTimestamp());
            return new StageRecord(
                    stage,
                    StageRecord.Status.FAILED,
                    "",
                    begun,
                    now,
                    Math.max(0, Duration.between(begun, now).toMillis() / 1e3),
                    info.getAttempt(),
                    false,
                    Reasons.of(failure),
                    null);
        }

        private static Stop meaning(ActivityCompletionException told) {
            return switch (told) {
                case ActivityCanceledException e when e.getCause() instanceof TimeoutFailure -> Stop.ABANDONED;
                case ActivityCanceledException _ -> Stop.REQUESTED;
                case ActivityWorkerShutdownException _ -> Stop.WORKER_SHUTDOWN;
                case ActivityPausedException _ -> Stop.PAUSED;
                case ActivityResetException _ -> Stop.PAUSED;
                default -> Stop.ABANDONED;
            };
        }

        @Override
        public void close() {
            ended.countDown();
            try {
                heart.join(LAST_BEAT);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
