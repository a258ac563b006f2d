package pacer.workflows;

import io.temporal.activity.ActivityOptions;
import io.temporal.failure.ActivityFailure;
import io.temporal.failure.ApplicationFailure;
import io.temporal.failure.CanceledFailure;
import io.temporal.failure.TemporalFailure;
import io.temporal.workflow.Async;
import io.temporal.workflow.Workflow;
import java.util.function.Supplier;
import pacer.activities.dataset.DatasetActivity;
import pacer.activities.dataset.DatasetRequest;
import pacer.activities.dataset.DatasetResult;
import pacer.activities.evaluation.EvaluationActivity;
import pacer.activities.evaluation.EvaluationRequest;
import pacer.activities.evaluation.EvaluationResult;
import pacer.activities.notification.NotificationActivity;
import pacer.activities.publishing.PublishingActivity;
import pacer.activities.publishing.PublishingRequest;
import pacer.activities.publishing.PublishingResult;
import pacer.activities.run.ActivityStage;
import pacer.activities.run.Progress;
import pacer.activities.run.RunActivity;
import pacer.activities.run.RunAmendment;
import pacer.activities.run.RunEnding;
import pacer.activities.run.RunId;
import pacer.activities.run.RunPlan;
import pacer.activities.run.RunRequest;
import pacer.activities.run.RunStatus;
import pacer.activities.run.Stage;
import pacer.activities.staging.StagingActivity;
import pacer.activities.staging.StagingRequest;
import pacer.activities.tracking.TrackingRequest;
import pacer.activities.training.Meeting;
import pacer.activities.training.SlotHeld;
import pacer.activities.training.TrainingActivity;
import pacer.activities.training.TrainingControlActivity;
import pacer.activities.training.TrainingRequest;
import pacer.activities.training.TrainingResult;

/** The business, top to bottom. How long each step may take and how often it is tried: {@link Policies}. */
public final class TrainPipelineImpl implements TrainPipeline {
    /** As many as a preset may have. */
    private static final int MOST_STEPS = 1_000_000_000;

    /** How often it goes back to mend damaged data, twice for a dataset, before somebody should look at the disk. */
    private static final int MENDINGS = 4;

    /** How often what is gone is brought back, for a run that is paused or waits for weeks; more would be somebody who deletes it at once. */
    private static final int RETURNS = 100;

    private final Policies policies;
    private final int mostEvents;
    /** Memo of a pipeline within another workflow that is no reproduction: what it is part of. */
    static final String PART_OF = "partOf";

    private final Ledger ledger = new Ledger();
    private final Steering steering = new Steering();
    private int lastStep;
    private EnsembleTraining ensemble; // null where one host trains

    TrainPipelineImpl(Policies policies) {
        this(policies, EnsembleTraining.MOST_EVENTS);
    }

    TrainPipelineImpl(Policies policies, int mostEvents) {
        this.policies = policies;
        this.mostEvents = mostEvents;
    }

    @Override
    public PipelineResult run(RunRequest request) {
        try {
            RunPlan plan = open(request);
            lastStep = plan.steps();
            ensemble = plan.hosts() == null ? null : new EnsembleTraining(policies, plan, ledger, mostEvents);
            ledger.opened(plan, request.note());
            track(plan);
            return train(plan);
        } catch (ActivityFailure e) {
            throw inItsOwnWords(e);
        }
    }

    /**
     * Where the run's folder is, if the request says so; where that host does not begin it, or is drained, anywhere: who has the run by a store goes on with
     * it, and everybody else refuses.
     */
    private RunPlan open(RunRequest request) {
        String host = request == null ? null : request.host();
        if (host != null
                && Workflow.getVersion("opened-where-it-is", Workflow.DEFAULT_VERSION, 1) > Workflow.DEFAULT_VERSION) {
            try {
                return Workflow.newActivityStub(RunActivity.class, policies.open(host))
                        .open(request);
            } catch (ActivityFailure e) {
                if (!Patience.neverBegun(e) && !type(e).equals(ActivityStage.HOST_DRAINED)) {
                    throw e;
                }
            }
        }
        return Workflow.newActivityStub(RunActivity.class, policies.open()).open(request);
    }

    /** Beside the run, where its host sends it to MLflow; nothing of the run waits for it. Plans from before there was that do not name it. */
    private static void track(RunPlan plan) {
        // what an earlier execution began is at work until the run is closed
        if (Boolean.TRUE.equals(plan.tracked()) && !Ledger.isContinued()) {
            TrackRun beside = Workflow.newChildWorkflowStub(
                    TrackRun.class,
                    Policies.trackingWorkflow(plan.run(), Workflow.getInfo().getOriginalExecutionRunId()));
            // a pipeline within another workflow that does not say otherwise is the run of a reproduction
            TrackingRequest request = Workflow.getInfo()
                    .getParentWorkflowId()
                    .map(parent -> new TrackingRequest(
                            plan.run(),
                            RunId.ofWorkflow(parent, "runs"),
                            Workflow.getMemo(PART_OF, String.class) == null))
                    .orElseGet(() -> TrackingRequest.of(plan.run()));
            Async.function(beside::track, new TrackRun.Input(plan.host(), request));
        }
    }

    private PipelineResult train(RunPlan plan) {
        String run = plan.run();
        try {
            Trained trained = trainOnSoundData(plan);

            PublishingResult published = ledger.stage(Stage.PUBLISH, () -> patience(plan)
                    .await(p -> Workflow.newActivityStub(PublishingActivity.class, p.publishing(plan.host()))
                            .publish(new PublishingRequest(run))));

            closeFinished(plan);
            PipelineResult result = new PipelineResult(
                    run, published.verdict(), trained.dataset(), trained.training(), trained.evaluated(), plan.host());
            ledger.judged(result);
            return result;
        } catch (CanceledFailure e) { // while it was paused
            closeWhateverHappens(new RunEnding(plan.run(), RunStatus.STOPPED, Steering.ON_REQUEST), plan);
            throw e;
        } catch (ActivityFailure e) {
            boolean stopped = Steering.endedOnRequest(e);
            boolean stoppedOrSpent = stopped || type(e).equals(ActivityStage.OVER_BUDGET);
            boolean refused = type(e).equals(ActivityStage.BAD_INPUT);
            closeWhateverHappens(
                    new RunEnding(
                            plan.run(),
                            stoppedOrSpent ? RunStatus.STOPPED : RunStatus.FAILED,
                            stopped ? Steering.ON_REQUEST : reason(e),
                            refused ? true : null),
                    plan);
            throw e;
        } catch (ApplicationFailure e) { // its host is gone, with the record that would be closed
            ledger.closed(RunStatus.FAILED, e.getOriginalMessage());
            tellWithoutHost(RunStatus.FAILED, e.getOriginalMessage());
            throw e;
        }
    }

    /** Who closes a run tells of it; where nobody could, whoever decides does, and may be the second. Not of what somebody stopped. */
    private void tellWithoutHost(RunStatus status, String reason) {
        if (reason.startsWith(Steering.ON_REQUEST)
                || Workflow.getVersion("told-without-host", Workflow.DEFAULT_VERSION, 1) == Workflow.DEFAULT_VERSION) {
            return;
        }
        Workflow.newDetachedCancellationScope(() -> {
                    try {
                        Workflow.newActivityStub(NotificationActivity.class, policies.telling())
                                .tell(ledger.notice(status, reason));
                    } catch (ActivityFailure e) {
                        // a run ends as it does whether or not anybody hears of it
                    }
                })
                .run();
    }

    private Patience patience(RunPlan plan) {
        return new Patience(policies, plan.host());
    }

    private void closeWhateverHappens(RunEnding ending, RunPlan plan) {
        Workflow.newDetachedCancellationScope(() -> closeAsItIs(ending, plan)).run();
    }

    /** A finished training, what it was on, and what its best checkpoint is worth. */
    private record Trained(DatasetResult dataset, TrainingResult training, EvaluationResult evaluated) {}

    /**
     * Dataset, staging, training, evaluation. Where one finds that what an earlier one made is damaged, it goes back to that one. No history from
     * before this was so has a failure of such a type, so all replay.
     */
    private Trained trainOnSoundData(RunPlan plan) {
        String host = plan.host();
        Patience patience = patience(plan);
        String run = plan.run();
        DatasetResult dataset = null;
        int mended = 0;
        int returned = 0;
        while (true) {
            try {
                if (dataset == null) {
                    dataset = ledger.stage(
                            Stage.DATASET,
                            () -> patience.await(p -> Workflow.newActivityStub(DatasetActivity.class, p.dataset(host))
                                    .prepare(new DatasetRequest(run, plan.dataset()))));
                }
                String hash = dataset.hash();

                ledger.stage(
                        Stage.STAGE,
                        () -> patience.await(p -> Workflow.newActivityStub(StagingActivity.class, p.staging(host))
                                .stage(new StagingRequest(run, hash))));

                TrainingResult trained = ledger.stage(
                        Stage.TRAIN,
                        () -> steering.train(() -> ensemble != null
                                ? ensemble.train(hash)
                                : patience.await(p -> Workflow.newActivityStub(TrainingActivity.class, p.training(host))
                                        .train(new TrainingRequest(run, hash)))));

                EvaluationResult evaluated = ledger.stage(
                        Stage.EVALUATE,
                        () -> patience.await(p -> Workflow.newActivityStub(EvaluationActivity.class, p.evaluation(host))
                                .evaluate(new EvaluationRequest(run, hash, trained.bestCheckpoint()))));

                return new Trained(dataset, trained, evaluated);
            } catch (ActivityFailure e) {
                String type = type(e);
                boolean damaged = type.equals(ActivityStage.DAMAGED_COPY) || type.equals(ActivityStage.DAMAGED_DATASET);
                boolean evicted = damaged && ActivityStage.isEvicted((ApplicationFailure) e.getCause());
                if (!damaged || (evicted ? ++returned > RETURNS : ++mended > MENDINGS)) {
                    throw e;
                }
                if (type.equals(ActivityStage.DAMAGED_DATASET)) {
                    dataset = null;
                }
            }
        }
    }

    /**
     * What is published stays so where its host is gone, or its disk full, before the record says that it is, and where somebody stops the run while it waits
     * for that.
     */
    private void closeFinished(RunPlan plan) {
        try {
            patience(plan).atOnce(p -> closeAsFinished(plan, p.close(plan.host())));
        } catch (ActivityFailure e) {
            if (Steering.endedOnRequest(e)) {
                closeThoughStopped(plan, e);
                return;
            }
            // histories of before go on to close the run as failed
            if (Workflow.getVersion("finished-stays", Workflow.DEFAULT_VERSION, 1) == Workflow.DEFAULT_VERSION) {
                throw e;
            }
            closeLater(plan, reason(e));
        } catch (CanceledFailure e) {
            closeThoughStopped(plan, e);
        } catch (ApplicationFailure e) { // its host is gone
            leaveOpen(e.getOriginalMessage());
        }
    }

    /** With more patience: what follows the record (tracking, a webhook) waits for it, and so does who follows the run. */
    private void closeLater(RunPlan plan, String failed) {
        ledger.waiting(
                "finished and published; its record alone waits for host %s, which could not close it: %s; mend that there: it is tried again for about a day"
                        .formatted(plan.host(), failed));
        try {
            patience(plan).atOnce(p -> closeAsFinished(plan, p.closeLater(plan.host())));
        } catch (ActivityFailure e) {
            if (Steering.endedOnRequest(e)) {
                closeThoughStopped(plan, e);
                return;
            }
            leaveOpen(reason(e));
        } catch (CanceledFailure e) {
            closeThoughStopped(plan, e);
        } catch (ApplicationFailure e) { // its host is gone
            leaveOpen(e.getOriginalMessage());
        }
    }

    /**
     * Somebody stopped a run that is finished and published: there is nothing left to stop but the wait. The record gets one more chance, as that of a run that
     * is stopped; histories of before go on to close it as stopped.
     */
    private void closeThoughStopped(RunPlan plan, TemporalFailure stopped) {
        if (Workflow.getVersion("stop-ends-the-wait", Workflow.DEFAULT_VERSION, 1) == Workflow.DEFAULT_VERSION) {
            throw stopped;
        }
        Workflow.newDetachedCancellationScope(() -> {
                    try {
                        Void _ = closeAsFinished(plan, policies.close(plan.host()));
                    } catch (ActivityFailure e) {
                        leaveOpen(reason(e) + "; nobody waits for it any more: pacer resume " + plan.run()
                                + " closes it");
                    }
                })
                .run();
    }

    private void leaveOpen(String why) {
        String reason = "its record does not say so: " + why;
        ledger.closed(RunStatus.FINISHED, reason);
        tellWithoutHost(RunStatus.FINISHED, reason);
    }

    private Void closeAsFinished(RunPlan plan, ActivityOptions options) {
        return close(new RunEnding(plan.run(), RunStatus.FINISHED, null), options);
    }

    private Void close(RunEnding ending, ActivityOptions options) {
        Workflow.newActivityStub(RunActivity.class, options).close(ending);
        ledger.closed(ending.status(), ending.reason());
        return null;
    }

    /** Why the run failed is worth more than why its record could not tell so. */
    private void closeAsItIs(RunEnding ending, RunPlan plan) {
        try {
            Void _ = close(ending, policies.close(plan.host()));
        } catch (ActivityFailure e) {
            ledger.closed(ending.status(), ending.reason());
            tellWithoutHost(ending.status(), ending.reason());
        }
    }

    private static String type(ActivityFailure e) {
        return e.getCause() instanceof ApplicationFailure failure ? failure.getType() : "";
    }

    private static String reason(ActivityFailure e) {
        return e.getCause() instanceof ApplicationFailure cause ? cause.getOriginalMessage() : e.getMessage();
    }

    /** The stage's own reason rather than "Activity task failed". */
    static RuntimeException inItsOwnWords(TemporalFailure e) {
        return e.getCause() instanceof ApplicationFailure cause
                ? ApplicationFailure.newNonRetryableFailureWithCause(cause.getOriginalMessage(), cause.getType(), e)
                : e;
    }

    @Override
    public PipelineProgress progress() {
        return ledger.progress();
    }

    @Override
    public void advanced(Progress progress) {
        ledger.advanced(progress);
    }

    @Override
    public void tracked(String page) {
        ledger.tracked(page);
    }

    @Override
    public void held(SlotHeld slot) {
        if (ensemble != null) { // people may send the signal too, to a run of one host
            ensemble.held(slot);
        }
    }

    @Override
    public void meeting(Meeting where) {
        if (ensemble != null) {
            ensemble.meeting(where);
        }
    }

    @Override
    public LossPoints lossCurve() {
        return ledger.curve();
    }

    @Override
    public String spec() {
        RunPlan plan = ledger.plan();
        return plan == null || plan.page() == null ? "" : plan.page().spec();
    }

    @Override
    public String pause() {
        ledger.pausing(true);
        return steering.pause()
                ? "paused; what was trained is in a checkpoint"
                : "paused; its host ended the attempt without a checkpoint: resume goes on from the one before";
    }

    @Override
    public void checkPause() {
        requireTraining();
        require(!steering.isPaused(), "it is paused already");
    }

    @Override
    public String resume() {
        ledger.pausing(false);
        steering.resume();
        return "training goes on";
    }

    @Override
    public void checkResume() {
        require(steering.isPaused(), "it is not paused");
    }

    @Override
    public String checkpointNow() {
        RunPlan plan = ledger.plan();
        return patience(plan)
                .atOnce(p -> Workflow.newActivityStub(TrainingControlActivity.class, p.checkpointNow(plan.host()))
                        .checkpoint(plan.run()));
    }

    @Override
    public void checkCheckpointNow() {
        requireStep();
        require(!steering.isPaused(), "it is paused, with a checkpoint");
    }

    @Override
    public String extend(Integer steps) {
        return endAt(() -> (int) Math.min(MOST_STEPS, (long) lastStep + steps)); // as it is when its turn comes
    }

    @Override
    public void checkExtend(Integer steps) {
        require(steps != null && steps > 0, "a number of steps above 0 is wanted, such as 500");
        require(ledger.isBeforeEndOfTraining(), "its training is over; resume the run with more steps instead");
        require((long) lastStep + steps <= MOST_STEPS, "that would be more than 1,000,000,000 steps in all");
    }

    @Override
    public String stopEarly() {
        return endAt(() -> null);
    }

    @Override
    public void checkStopEarly() {
        requireTraining();
        // an attempt that has just begun tells of no step yet, but those before it took some
        require(ledger.hasTakenStep(), "no step is taken yet");
    }

    private String endAt(Supplier<Integer> step) {
        RunPlan plan = ledger.plan();
        lastStep = steering.change(
                () -> patience(plan).atOnce(p -> Workflow.newActivityStub(RunActivity.class, p.close(plan.host()))
                        .amend(new RunAmendment(plan.run(), step.get()))));
        return "training ends at step %,d".formatted(lastStep);
    }

    private void requireStep() {
        requireTraining();
        boolean begun = ledger.now() != null
                && ledger.now().step() != null
                && ledger.now().step() > 0;
        require(begun, "no step is taken yet, as far as was told");
    }

    private void requireTraining() {
        require(ledger.isAt(Stage.TRAIN), "no training is at work");
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalStateException(otherwise);
        }
    }
}
