package pacer.activities.training;

import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityMethod;
import java.util.List;

/** How several hosts train one run. */
@ActivityInterface
public interface EnsembleActivity {
    /** Signal of the workflow that takes a {@link SlotHeld}. */
    String HELD_SIGNAL = "held";

    /** Signal of the workflow that takes a {@link Meeting}. */
    String MEETING_SIGNAL = "meeting";

    /**
     * Hosts that may train.
     *
     * @param names in order, the one asked among them
     * @param store place of the store of the one asked
     */
    record Hosts(List<String> names, String store) {}

    /** On the run's host: which hosts there are. */
    @ActivityMethod(name = "FindHosts")
    Hosts find(String run);

    /**
     * On each host's queue for training: says that the slot is taken, and takes it until cancelled. Fails at once where the host cannot take part.
     *
     * @param store place of the store that hosts must share
     */
    @ActivityMethod(name = "HoldHost")
    void hold(String run, String gathering, String store);

    /** On each host but the run's: stages the dataset, from the store. */
    @ActivityMethod(name = "StageForRanks")
    void stage(RanksRequest request);

    /** On each host but the run's: runs its ranks to their end. */
    @ActivityMethod(name = "TrainRanks")
    void train(RanksRequest request);
}
