package pacer.activities.dataset;

import pacer.activities.run.ActivityStage;
import pacer.activities.run.Home;
import pacer.activities.run.RunHub;
import pacer.activities.run.Stage;

/** {@link Datasets} as a Temporal activity. */
public final class DatasetActivityImpl implements DatasetActivity {
    private final Datasets datasets;
    private final Home home;
    private final RunHub hub;

    public DatasetActivityImpl(Datasets datasets, Home home, RunHub hub) {
        this.datasets = datasets;
        this.home = home;
        this.hub = hub;
    }

    @Override
    public DatasetResult prepare(DatasetRequest request) {
        return ActivityStage.run(
                Stage.DATASET, request.run(), home, hub, context -> datasets.prepare(request, context));
    }
}
