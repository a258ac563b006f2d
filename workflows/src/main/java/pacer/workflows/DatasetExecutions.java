package pacer.workflows;

import io.temporal.api.enums.v1.WorkflowIdConflictPolicy;
import io.temporal.api.enums.v1.WorkflowIdReusePolicy;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowException;
import io.temporal.client.WorkflowOptions;
import io.temporal.client.WorkflowStub;
import io.temporal.failure.ApplicationFailure;
import io.temporal.failure.CanceledFailure;
import io.temporal.failure.TerminatedFailure;
import java.io.IOException;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import pacer.activities.dataset.DatasetResult;
import pacer.activities.dataset.Datasets;
import pacer.activities.dataset.SharedDatasets;
import pacer.activities.run.ActivityStage;
import pacer.activities.run.BadInputException;
import pacer.activities.run.PreparationRequest;
import pacer.activities.run.Progress;
import pacer.activities.run.Reasons;
import pacer.activities.run.Stage;
import pacer.activities.run.StageContext;
import pacer.activities.run.StageFailure;
import pacer.trainer.durable.Host;
import pacer.trainer.spec.DatasetSpec;
import pacer.workflows.PreparationProgress.Step;

/**
 * Executions of {@link PrepareDataset}, for those who wait for a dataset: one is begun where there is none, and joined where there is. Whoever stops
 * waiting leaves it at work, as others may be waiting too.
 */
final class DatasetExecutions implements Datasets.Together {
    private static final long LOOK_SECONDS = 1;

    /** How many looks there are to a question: each keeps a worker of role control for a moment, and many may wait. */
    private static final int ASK_EACH = 3;

    private final WorkflowClient client;

    DatasetExecutions(WorkflowClient client) {
        this.client = client;
    }

    @Override
    public void make(String hash, DatasetSpec spec, StageContext context) throws IOException, InterruptedException {
        String id = PrepareDataset.id(hash);
        WorkflowStub execution = client.newUntypedWorkflowStub(
                PrepareDataset.TYPE,
                WorkflowOptions.newBuilder()
                        .setWorkflowId(id)
                        .setTaskQueue(TaskQueues.CONTROL)
                        .setStaticSummary(RunPage.cut("dataset of " + spec.url()))
                        .setWorkflowIdReusePolicy(WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE)
                        .setWorkflowIdConflictPolicy(WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING)
                        .build());
        try {
            execution.start(PreparationRequest.of(spec, SharedDatasets.isBound(spec) ? Host.name() : null));
        } catch (WorkflowException e) {
            throw new IOException("workflow " + id + " could not be started: " + Reasons.of(e), e);
        }
        CompletableFuture<DatasetResult> result = execution.getResultAsync(DatasetResult.class);
        try {
            await(result, execution, id, context);
        } finally {
            result.cancel(true);
        }
    }

    private static void await(
            CompletableFuture<DatasetResult> result, WorkflowStub execution, String id, StageContext context)
            throws IOException, InterruptedException {
        for (int look = 1; ; look++) {
            try {
                DatasetResult _ = result.get(LOOK_SECONDS, TimeUnit.SECONDS);
                return;
            } catch (TimeoutException e) {
                context.check();
                if (look % ASK_EACH == 1) {
                    tell(execution, id, context);
                }
            } catch (ExecutionException e) {
                throw failure(id, e.getCause());
            }
        }
    }

    private static void tell(WorkflowStub execution, String id, StageContext context) {
        PreparationProgress progress;
        try {
            progress = execution.query("progress", PreparationProgress.class);
        } catch (WorkflowException e) {
            return; // no worker answers at the moment; its end is heard of all the same
        }
        if (progress.steps().isEmpty()) {
            return;
        }
        Step step = progress.steps().getLast();
        String text = "%s: %s%s".formatted(shown(id), step.name(), step.text() == null ? "" : ", " + step.text());
        context.progress(Progress.of(Stage.DATASET, Instant.now(), step.fraction(), text, step.etaSeconds()));
    }

    /** Enough of the id to be found by. */
    private static String shown(String id) {
        return id.substring(0, Math.min(id.length(), "dataset-".length() + 12));
    }

    private static IOException failure(String id, Throwable failed) {
        Throwable cause = failed instanceof WorkflowException && failed.getCause() != null ? failed.getCause() : failed;
        switch (cause) {
            case ApplicationFailure said
            when said.getType().equals(ActivityStage.BAD_INPUT) ->
                throw new BadInputException(said.getOriginalMessage(), said);
            case CanceledFailure _, TerminatedFailure _ ->
                throw new StageFailure(
                        "workflow " + id
                                + ", which makes the dataset, was stopped; the run, or resuming it, begins it anew",
                        false);
            case ApplicationFailure said -> {
                return new IOException("workflow " + id + ": " + said.getOriginalMessage(), said);
            }
            default -> {
                return new IOException("workflow " + id + ": " + Reasons.of(cause), cause);
            }
        }
    }
}
