package pacer.activities.staging;

import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityMethod;

/** Shards of a dataset to the local disk of the host that trains. */
@ActivityInterface
public interface StagingActivity {
    @ActivityMethod(name = "StageDataset")
    StagingResult stage(StagingRequest request);
}
