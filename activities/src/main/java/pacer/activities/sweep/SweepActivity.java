package pacer.activities.sweep;

import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityMethod;
import java.util.List;
import pacer.activities.run.SweepRequest;

/** What a sweep does on hosts. */
@ActivityInterface
public interface SweepActivity {
    /** Settles what will be run, or reads what is to be gone on with. */
    @ActivityMethod(name = "OpenSweep")
    SweepState open(SweepRequest request);

    /** How the finished run of {@code trial} ended, on its host; {@code stopped} says why the sweep asked it to, or is null. */
    @ActivityMethod(name = "ReadSweepRun")
    SweepRun read(SweepTrial trial, String stopped);

    /** Adds a run to what is written down of the sweep {@code id}, on the sweep's host. */
    @ActivityMethod(name = "NoteSweepRun")
    void note(String id, SweepRun ended);

    /** Writes how it ended; returns the folder. */
    @ActivityMethod(name = "WriteSweep")
    String write(SweepResult result);

    /** Waits until the run of the workflow {@code workflow} is opened, and says where. */
    @ActivityMethod(name = "FindSweepRun")
    SweptRun find(String workflow);

    /** Waits for validations of the run beyond those known, on its host; none when its training is over. */
    @ActivityMethod(name = "AwaitValidations")
    List<Mark> validations(String run, int known);

    /** Asks the workflow {@code workflow} to end its training. */
    @ActivityMethod(name = "StopSweepRun")
    String stopEarly(String workflow);
}
