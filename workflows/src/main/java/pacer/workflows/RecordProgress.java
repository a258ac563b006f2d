package pacer.workflows;

import java.util.List;
import pacer.activities.record.RecordPlan;
import pacer.activities.record.RecordRun;

/**
 * How a record attempt stands.
 *
 * @param plan null until it is settled
 * @param finished in the order of their seeds
 * @param working workflow ids of the runs at work, by which {@code progress} of each can be asked for
 */
public record RecordProgress(RecordPlan plan, List<RecordRun> finished, List<String> working) {}
