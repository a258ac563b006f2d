package pacer.activities.sweep;

import com.fasterxml.jackson.databind.JsonNode;
import io.temporal.activity.Activity;
import io.temporal.client.WorkflowException;
import io.temporal.client.WorkflowStub;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import pacer.activities.run.ActivityStage;
import pacer.activities.run.Stage;
import pacer.activities.run.SweepRequest;

/** {@link Sweeps} as Temporal activities. */
public record SweepActivityImpl(Sweeps sweeps, ActivityStage activity) implements SweepActivity {
    private static final long LOOK_MILLIS = 500;

    @Override
    public SweepState open(SweepRequest request) {
        try {
            return sweeps.open(request, Activity.getExecutionContext().getInfo().getWorkflowId());
        } catch (IOException | RuntimeException e) {
            throw ActivityStage.failure(e);
        }
    }

    @Override
    public SweepRun read(SweepTrial trial, String stopped) {
        try {
            return sweeps.read(trial, stopped);
        } catch (IOException | RuntimeException e) {
            throw ActivityStage.failure(e);
        }
    }

    @Override
    public void note(String id, SweepRun ended) {
        try {
            sweeps.note(id, ended);
        } catch (IOException | RuntimeException e) {
            throw ActivityStage.failure(e);
        }
    }

    @Override
    public String write(SweepResult result) {
        try {
            return sweeps.write(result).toString();
        } catch (IOException | RuntimeException e) {
            throw ActivityStage.failure(e);
        }
    }

    @Override
    public SweptRun find(String workflow) {
        WorkflowStub stub = stub(workflow);
        return activity.work(Stage.TRAIN, workflow, false, context -> {
            while (true) {
                Optional<SweptRun> there = opened(stub);
                if (there.isPresent()) {
                    return there.get();
                }
                context.check();
                Thread.sleep(LOOK_MILLIS);
            }
        });
    }

    private static Optional<SweptRun> opened(WorkflowStub stub) {
        try {
            JsonNode progress = stub.query("progress", JsonNode.class);
            return progress.hasNonNull("run") && progress.hasNonNull("host")
                    ? Optional.of(new SweptRun(
                            progress.get("run").textValue(),
                            progress.get("host").textValue()))
                    : Optional.empty();
        } catch (WorkflowException e) {
            return Optional.empty(); // no worker answers at the moment
        }
    }

    @Override
    public List<Mark> validations(String run, int known) {
        return activity.work(Stage.TRAIN, run, false, context -> sweeps.validations(run, known, context));
    }

    @Override
    public String stopEarly(String workflow) {
        return stub(workflow).update("stopEarly", String.class);
    }

    private static WorkflowStub stub(String workflow) {
        return Activity.getExecutionContext().getWorkflowClient().newUntypedWorkflowStub(workflow);
    }
}
