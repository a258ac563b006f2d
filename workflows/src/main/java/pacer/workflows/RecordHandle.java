package pacer.workflows;

import io.temporal.client.WorkflowException;
import io.temporal.client.WorkflowStub;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import pacer.activities.record.RecordPlan;
import pacer.activities.record.RecordResult;
import pacer.activities.record.RecordRun;
import pacer.activities.run.RunUpdate;

/** A record attempt that was started. */
public final class RecordHandle {
    private static final long POLL_MILLIS = 500;

    private final String id;
    private final WorkflowStub workflow;
    private final Function<String, WorkflowStub> workflows;
    private final boolean local;

    /** @param workflows those of a service, by id */
    RecordHandle(String id, WorkflowStub workflow, Function<String, WorkflowStub> workflows, boolean local) {
        this.id = id;
        this.workflow = workflow;
        this.workflows = workflows;
        this.local = local;
    }

    public String id() {
        return id;
    }

    /** Whether this process works on it, and not a worker elsewhere. */
    public boolean local() {
        return local;
    }

    /** What a follower hears, on the thread that follows. */
    public interface Listener {
        /** It is settled. */
        void settled(RecordPlan plan);

        /** A run began; {@code run} is its workflow's id. */
        void began(String run);

        /** The run that began last, how far it is. */
        void advanced(RunUpdate update);

        void finished(RecordRun run);
    }

    /**
     * How it ended.
     *
     * @param result null where there is none
     * @param reason why there is none, in one line
     * @param refused whether what was given is at fault
     * @param stopped whether somebody asked for the end
     */
    public record Outcome(RecordResult result, String reason, boolean refused, boolean stopped) {}

    /** Waits for the end. */
    public Outcome follow(Listener listener) throws InterruptedException {
        CompletableFuture<RecordResult> result = workflow.getResultAsync(RecordResult.class);
        Teller teller = new Teller(listener);
        while (!result.isDone()) {
            teller.poll();
            WorkflowEnding.await(result, POLL_MILLIS);
        }
        teller.poll();
        return outcome(result);
    }

    /** Asks for an end: the runs at work stop, with checkpoints. */
    public void stop() {
        workflow.cancel("stopped by the user");
    }

    private static Outcome outcome(CompletableFuture<RecordResult> result) {
        return switch (WorkflowEnding.of(result)) {
            case WorkflowEnding.Done<RecordResult>(RecordResult came) -> new Outcome(came, null, false, false);
            case WorkflowEnding.Stopped<RecordResult> _ -> new Outcome(null, "stopped on request", false, true);
            case WorkflowEnding.Failed<RecordResult> failed ->
                new Outcome(null, failed.reason(), failed.refused(), false);
        };
    }

    /** Tells what changed since it was asked last. */
    private final class Teller {
        private final Listener listener;
        private final Set<String> begun = new HashSet<>();
        private final List<RecordRun> finished = new ArrayList<>();
        private boolean settled;
        private final NewestRun newest = new NewestRun(workflows);

        private Teller(Listener listener) {
            this.listener = listener;
        }

        private void poll() {
            RecordProgress progress;
            try {
                progress = workflow.query("progress", RecordProgress.class);
            } catch (WorkflowException e) {
                RemoteProgress.throwUnreadable(e);
                return; // no worker answers at the moment
            }
            if (progress.plan() != null && !settled) {
                settled = true;
                listener.settled(progress.plan());
            }
            for (RecordRun run : progress.finished()) {
                if (!finished.contains(run)) {
                    finished.add(run);
                    listener.finished(run);
                }
            }
            progress.working().stream().filter(begun::add).forEach(listener::began);
            newest.poll(progress.working(), listener::advanced);
        }
    }
}
