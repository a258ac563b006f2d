package pacer.activities.dataset;

import java.io.IOException;
import java.time.Clock;
import pacer.activities.run.Home;
import pacer.activities.run.Progress;
import pacer.activities.run.Stage;
import pacer.activities.run.StageContext;
import pacer.activities.store.StoredDatasets;
import pacer.activities.store.TransferListener;
import pacer.trainer.durable.Host;

/** What every step of a dataset that hosts make together needs. */
record SharedWork(Home home, StoredDatasets store, Clock clock) {
    /** Refuses work for those who would not find it. */
    void requireStore(Preparation preparation) throws IOException {
        if (!preparation.store().equals(store.place())) {
            throw new IOException(
                    "the worker on %s has the store %s, but the dataset is made in %s; set PACER_STORE alike"
                            .formatted(Host.name(), store.place(), preparation.store()));
        }
    }

    TransferListener sending(String name, StageContext context) {
        return (done, all) -> at(context, done, all, "sending " + name + " to the store");
    }

    void at(StageContext context, long done, long all, String text) {
        context.check();
        context.progress(Progress.of(Stage.DATASET, clock.instant(), (double) done / Math.max(1, all), text));
    }

    Workbench bench() throws IOException {
        return Workbench.in(home.cache().resolve("preparing"));
    }

    /** The dataset, which the store must have now. */
    DatasetResult made(Preparation preparation, StageContext context) throws IOException, InterruptedException {
        return store.read(preparation.hash(), context)
                .map(manifest -> Datasets.result(preparation.hash(), manifest, false))
                .orElseThrow(() -> new IOException(
                        "the dataset %s was made, but is not in the store %s; it is stored by another attempt"
                                .formatted(preparation.hash(), store.place())));
    }
}
