package pacer.workflows;

import io.temporal.client.WorkflowException;
import io.temporal.client.WorkflowStub;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import pacer.activities.run.RunUpdate;
import pacer.activities.sweep.SweepPlan;
import pacer.activities.sweep.SweepResult;
import pacer.activities.sweep.SweepRun;

/** A sweep that was started. */
public final class SweepHandle {
    private static final long POLL_MILLIS = 500;

    private final String id;
    private final WorkflowStub workflow;
    private final Function<String, WorkflowStub> workflows;
    private final boolean local;

    /** @param workflows those of a service, by id */
    SweepHandle(String id, Function<String, WorkflowStub> workflows, boolean local) {
        this.id = id;
        this.workflow = workflows.apply(id); // by its id alone: it may be continued as new
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
        /** It is settled; {@code before} are runs that ended before it was gone on with. */
        void settled(SweepPlan plan, List<SweepRun> before);

        /** A run began; {@code run} is its workflow's id. */
        void began(String run);

        /** The run that began last, how far it is. */
        void advanced(RunUpdate update);

        void ended(SweepRun run);
    }

    /** Waits for the end. */
    public Outcome<SweepResult> follow(Listener listener) throws InterruptedException {
        CompletableFuture<SweepResult> result = workflow.getResultAsync(SweepResult.class);
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
        private final NewestRun newest = new NewestRun(workflows);
        private final Set<String> begun = new HashSet<>();
        private final Set<Integer> ended = new HashSet<>();
        private boolean settled;

        private Teller(Listener listener) {
            this.listener = listener;
        }

        private void poll() {
            SweepProgress progress;
            try {
                progress = workflow.query("progress", SweepProgress.class);
            } catch (WorkflowException e) {
                RemoteProgress.throwUnreadable(e);
                return; // no worker answers at the moment
            }
            if (progress.plan() != null && !settled) {
                settled = true;
                listener.settled(progress.plan(), progress.ended());
                progress.ended().forEach(run -> ended.add(run.number()));
            }
            progress.ended().stream().filter(run -> ended.add(run.number())).forEach(listener::ended);
            progress.working().stream().filter(begun::add).forEach(listener::began);
            newest.poll(progress.working(), listener::advanced);
        }
    }
}
