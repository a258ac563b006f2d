package pacer.activities.sweep;

import java.util.List;

/**
 * A sweep under way: what its workflow hands on when it is continued as new.
 *
 * @param runs those that ended
 */
public record SweepState(SweepPlan plan, List<SweepRun> runs) {

    public SweepState {
        runs = List.copyOf(runs);
    }
}
