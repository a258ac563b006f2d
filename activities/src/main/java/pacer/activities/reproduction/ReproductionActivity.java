package pacer.activities.reproduction;

import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityMethod;

/** Sets a run beside the earlier ones of its settings. */
@ActivityInterface
public interface ReproductionActivity {
    @ActivityMethod(name = "CompareReproduction")
    Reproduction compare(String run);
}
