package pacer.activities.dataset;

import pacer.activities.run.ActivityStage;
import pacer.activities.run.Stage;

/** {@link Datasets} as a Temporal activity. */
public record DatasetActivityImpl(Datasets datasets, ActivityStage activity) implements DatasetActivity {
    @Override
    public DatasetResult prepare(DatasetRequest request) {
        return activity.run(Stage.DATASET, request.run(), context -> datasets.prepare(request, context));
    }
}
