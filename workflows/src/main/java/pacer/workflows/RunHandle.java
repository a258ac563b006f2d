package pacer.workflows;

import io.temporal.client.WorkflowException;
import io.temporal.client.WorkflowStub;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import pacer.activities.run.ActivityStage;
import pacer.activities.run.Home;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunHub;
import pacer.activities.run.RunStatus;
import pacer.activities.run.RunUpdate;
import pacer.trainer.event.TrainingEvent;

/**
 * A run that was started.
 *
 * <p>How it is followed: where the work is done in this process, every event arrives as it happens; where a worker elsewhere
 * does it, the workflow's query {@code progress} is asked every second, so that only stages and {@link RunUpdate.Advanced}
 * arrive. Both come to the same listener.
 */
public final class RunHandle {
    private static final long POLL_MILLIS = 1000;
    private static final long LOOK_MILLIS = 50;

    /** While whoever listens is held up (a terminal that was stopped), no more than this waits of what comes again anyway. */
    private static final int MOST_WAITING = 10_000;

    private final RunClaim claim;
    private final Home home;
    private final WorkflowStub workflow;
    private final LinkedBlockingQueue<RunUpdate> updates = new LinkedBlockingQueue<>();
    private final RunHub.Subscription subscription;
    private final boolean local;

    RunHandle(RunClaim claim, Home home, WorkflowStub workflow, Optional<RunHub> hub) {
        this.claim = claim;
        this.home = home;
        this.workflow = workflow;
        this.local = hub.isPresent();
        this.subscription = hub.map(h -> h.follow(claim.id(), this::take)).orElse(() -> {});
    }

    private void take(RunUpdate update) {
        boolean passing =
                switch (update) {
                    case RunUpdate.Advanced _ -> true;
                    case RunUpdate.Trained(TrainingEvent.Step _) -> true;
                    case RunUpdate.Trained(TrainingEvent.Working _) -> true;
                    default -> false;
                };
        if (!passing || updates.size() < MOST_WAITING) {
            updates.add(update);
        }
    }

    public String id() {
        return claim.id();
    }

    /** Whether it goes on with an earlier run. */
    public boolean resumed() {
        return claim.resumed();
    }

    /** What a person should know as it begins; mostly nothing. */
    public Optional<String> notice() {
        return claim.notice();
    }

    /** Whether this process works on it, and not a worker elsewhere. */
    public boolean local() {
        return local;
    }

    /** Its folder, where it is on this machine. */
    public Optional<RunFolder> folder() {
        return Optional.of(home.run(claim.id())).filter(RunFolder::exists);
    }

    /**
     * Waits for the end of the run. What happens until then is told to {@code listener}, on the thread that called, in order.
     *
     * @return how it ended; failed and stopped runs are outcomes like others
     */
    public PipelineOutcome follow(Consumer<RunUpdate> listener) throws InterruptedException {
        CompletableFuture<PipelineResult> result = workflow.getResultAsync(PipelineResult.class);
        try (RunHub.Subscription _ = subscription) {
            RemoteProgress remote = new RemoteProgress(workflow, System::nanoTime);
            while (!result.isDone()) {
                RunUpdate update = updates.poll(local ? LOOK_MILLIS : 0, TimeUnit.MILLISECONDS);
                if (update != null) {
                    listener.accept(update);
                } else if (!local) {
                    remote.poll(listener);
                    WorkflowEnding.await(result, POLL_MILLIS);
                }
            }
            for (RunUpdate update = updates.poll(); update != null; update = updates.poll()) {
                listener.accept(update);
            }
            if (!local) {
                remote.poll(listener);
            }
            return outcome(result);
        } finally {
            release();
        }
    }

    /** Waits for the end of the run. */
    public PipelineOutcome result() throws InterruptedException {
        return follow(update -> {});
    }

    /** Asks for an end: the stage at work stops, a training with a checkpoint. {@link #follow} returns when it has. */
    public void stop() {
        workflow.cancel("stopped by the user");
    }

    private PipelineOutcome outcome(CompletableFuture<PipelineResult> result) {
        return switch (WorkflowEnding.of(result)) {
            case WorkflowEnding.Done<PipelineResult>(PipelineResult came) -> PipelineOutcome.finished(came, claim.id());
            case WorkflowEnding.Stopped<PipelineResult> _ -> stopped();
            case WorkflowEnding.Failed<PipelineResult> failed -> {
                RunStatus status =
                        ActivityStage.OVER_BUDGET.equals(failed.type()) ? RunStatus.STOPPED : RunStatus.FAILED;
                yield new PipelineOutcome(claim.id(), status, null, failed.reason(), failed.refused());
            }
        };
    }

    /** A workflow that was told to stop ends as cancelled, also where it had come to its end all the same. */
    private PipelineOutcome stopped() {
        PipelineOutcome stopped = new PipelineOutcome(claim.id(), RunStatus.STOPPED, null, "stopped on request", false);
        try {
            Optional<RunFolder> folder = folder();
            Optional<PipelineResult> recorded =
                    folder.isPresent() ? PipelineResult.of(folder.get().read()) : Optional.empty();
            return recorded.or(this::unrecorded)
                    .map(result -> PipelineOutcome.finished(result, claim.id()))
                    .orElse(stopped);
        } catch (IOException e) {
            return stopped; // whatever is wrong with the record, resuming says so
        }
    }

    /** What a run came to whose record could not be closed, as its workflow says while a worker answers for it. */
    private Optional<PipelineResult> unrecorded() {
        try {
            return Optional.ofNullable(
                    workflow.query("progress", PipelineProgress.class).result());
        } catch (WorkflowException e) {
            return Optional.empty();
        }
    }

    private void release() {
        try {
            claim.release();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
