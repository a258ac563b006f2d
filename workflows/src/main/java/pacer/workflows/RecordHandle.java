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

    /** Waits for the end. */
    public Outcome<RecordResult> follow(Listener listener) throws InterruptedException {
        CompletableFuture<RecordResult> result = workflow.getResultAsync(RecordResult.class);
        Teller teller = new Teller(listener);
        while (!result.isDone()) {
            teller.poll();
            WorkflowEnding.await(result, POLL_MILLIS);
        }
        teller.poll();
        return Outcome.of(result);
    }

    /** Asks for an end: the runs at work stop, with checkpoints. */
    public void stop() {
        workflow.cancel("stopped by the user");
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
