package pacer.workflows;

import java.util.List;
import pacer.activities.sweep.SweepPlan;
import pacer.activities.sweep.SweepRun;

/**
 * How a sweep stands.
 *
 * @param plan null until it is settled
 * @param ended in the sweep's order, without curves
 * @param working workflow ids of the runs at work, by which {@code progress} of each can be asked for
 */
public record SweepProgress(SweepPlan plan, List<SweepRun> ended, List<String> working) {}
