package pacer.workflows;

import io.temporal.client.WorkflowException;
import io.temporal.client.WorkflowStub;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import pacer.activities.run.Progress;
import pacer.activities.run.RunUpdate;
import pacer.activities.run.Stage;
import pacer.activities.run.StageRecord;
import pacer.workflows.PipelineProgress.StageLine;

/** Makes updates out of what a workflow elsewhere answers to the query {@code progress}. */
final class RemoteProgress {
    private final WorkflowStub workflow;
    private final Map<Stage, String> told = new HashMap<>();
    private Progress last;

    RemoteProgress(WorkflowStub workflow) {
        this.workflow = workflow;
    }

    void poll(Consumer<RunUpdate> listener) {
        PipelineProgress progress;
        try {
            progress = workflow.query("progress", PipelineProgress.class);
        } catch (WorkflowException e) {
            return; // no worker answers at the moment; the run's end is heard of all the same
        }
        for (StageLine line : progress.stages()) {
            String before = told.put(line.stage(), line.state());
            if (before == null) {
                listener.accept(new RunUpdate.StageStarted(line.stage()));
            }
            if (!line.state().equals("running") && !line.state().equals(before)) {
                listener.accept(new RunUpdate.StageEnded(record(line)));
            }
        }
        if (progress.now() != null && !progress.now().equals(last)) {
            last = progress.now();
            listener.accept(new RunUpdate.Advanced(last));
        }
    }

    private static StageRecord record(StageLine line) {
        StageRecord.Status status = StageRecord.Status.valueOf(line.state().toUpperCase(Locale.ROOT));
        return new StageRecord(line.stage(), status, null, null, null, 0, 1, false, line.summary(), null);
    }
}
