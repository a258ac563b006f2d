package pacer.activities.record;

import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityMethod;
import pacer.activities.run.RecordRequest;

/** What a record attempt does on hosts. */
@ActivityInterface
public interface RecordActivity {
    /** Settles what will be run. */
    @ActivityMethod(name = "OpenRecordAttempt")
    RecordPlan open(RecordRequest request);

    /** What the finished run {@code run} proves, on its host. */
    @ActivityMethod(name = "ReadRecordRun")
    RecordRun read(String run, long seed);

    /** Writes how it ended, with the runs' logs that are on this host; returns the folder. */
    @ActivityMethod(name = "WriteRecord")
    String write(RecordResult result);
}
