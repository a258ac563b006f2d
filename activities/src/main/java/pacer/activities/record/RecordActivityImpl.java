package pacer.activities.record;

import io.temporal.activity.Activity;
import java.io.IOException;
import pacer.activities.run.ActivityStage;
import pacer.activities.run.RecordRequest;

/** {@link Records} as Temporal activities. */
public record RecordActivityImpl(Records records) implements RecordActivity {
    @Override
    public RecordPlan open(RecordRequest request) {
        try {
            return records.open(
                    request, Activity.getExecutionContext().getInfo().getWorkflowId());
        } catch (IOException | RuntimeException e) {
            throw ActivityStage.failure(e);
        }
    }

    @Override
    public RecordRun read(String run, long seed) {
        try {
            return records.read(run, seed);
        } catch (IOException | RuntimeException e) {
            throw ActivityStage.failure(e);
        }
    }

    @Override
    public String write(RecordResult result) {
        try {
            return records.write(result).toString();
        } catch (IOException | RuntimeException e) {
            throw ActivityStage.failure(e);
        }
    }
}
