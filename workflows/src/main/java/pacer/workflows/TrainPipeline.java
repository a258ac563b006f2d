package pacer.workflows;

import io.temporal.workflow.QueryMethod;
import io.temporal.workflow.SignalMethod;
import io.temporal.workflow.UpdateMethod;
import io.temporal.workflow.UpdateValidatorMethod;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import pacer.activities.run.ActivityStage;
import pacer.activities.run.Progress;
import pacer.activities.run.RunRequest;
import pacer.activities.training.EnsembleActivity;
import pacer.activities.training.Meeting;
import pacer.activities.training.SlotHeld;

/** Raw text to a trained, evaluated, published model. */
@WorkflowInterface
public interface TrainPipeline {

    @WorkflowMethod(name = "TrainPipeline")
    PipelineResult run(RunRequest request);

    @QueryMethod(name = "progress", description = "The stages begun, and how far the one at work is")
    PipelineProgress progress();

    @QueryMethod(name = "lossCurve", description = "Training and validation loss by step, as far as was told of them")
    LossPoints lossCurve();

    @QueryMethod(name = "spec", description = "The resolved spec, as YAML")
    String spec();

    @SignalMethod(name = ActivityStage.PROGRESS_SIGNAL, description = "From the stage at work: how far it is")
    void advanced(Progress progress);

    @SignalMethod(
            name = ActivityStage.TRACKED_SIGNAL,
            description = "From its tracking: the address of its page in MLflow")
    void tracked(String page);

    @SignalMethod(name = EnsembleActivity.HELD_SIGNAL, description = "From a host: its slot is held for this run")
    void held(SlotHeld slot);

    @SignalMethod(
            name = EnsembleActivity.MEETING_SIGNAL,
            description = "From the run's host: where the ranks of other hosts find rank 0")
    void meeting(Meeting where);

    @UpdateMethod(
            name = "pause",
            description = "Stop training with a checkpoint, until resume; its host may train another run meanwhile")
    String pause();

    @UpdateValidatorMethod(updateName = "pause")
    void checkPause();

    @UpdateMethod(name = "resume", description = "Go on after pause")
    String resume();

    @UpdateValidatorMethod(updateName = "resume")
    void checkResume();

    @UpdateMethod(name = "checkpointNow", description = "Write a checkpoint after the step at work; training goes on")
    String checkpointNow();

    @UpdateValidatorMethod(updateName = "checkpointNow")
    void checkCheckpointNow();

    @UpdateMethod(
            name = "extend",
            description =
                    "Train this many steps more than planned, at the learning rate where the schedule ends: a number")
    String extend(Integer steps);

    @UpdateValidatorMethod(updateName = "extend")
    void checkExtend(Integer steps);

    @UpdateMethod(
            name = "stopEarly",
            description = "End training after the step at work, and evaluate and publish what there is")
    String stopEarly();

    @UpdateValidatorMethod(updateName = "stopEarly")
    void checkStopEarly();
}
