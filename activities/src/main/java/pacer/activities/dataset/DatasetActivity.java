package pacer.activities.dataset;

import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityMethod;

/** Raw text to verified token shards. */
@ActivityInterface
public interface DatasetActivity {
    @ActivityMethod(name = "PrepareDataset")
    DatasetResult prepare(DatasetRequest request);
}
