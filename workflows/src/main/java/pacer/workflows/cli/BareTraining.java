package pacer.workflows.cli;

import java.io.IOException;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import pacer.activities.dataset.DatasetRequest;
import pacer.activities.dataset.DatasetResult;
import pacer.activities.dataset.Datasets;
import pacer.activities.dataset.FetchSettings;
import pacer.activities.publishing.report.ReportWriter;
import pacer.activities.run.Budget;
import pacer.activities.run.Home;
import pacer.activities.run.LocalCache;
import pacer.activities.run.Machine;
import pacer.activities.run.Progress;
import pacer.activities.run.Reasons;
import pacer.activities.run.RunEnding;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunHub;
import pacer.activities.run.RunRequest;
import pacer.activities.run.RunStatus;
import pacer.activities.run.RunUpdate;
import pacer.activities.run.Runs;
import pacer.activities.run.Stage;
import pacer.activities.run.StageContext;
import pacer.activities.run.StageLog;
import pacer.activities.run.StoppedException;
import pacer.activities.staging.Staging;
import pacer.activities.staging.StagingRequest;
import pacer.activities.store.Store;
import pacer.activities.store.StoredDatasets;
import pacer.activities.store.StoredRuns;
import pacer.activities.training.Training;
import pacer.activities.training.TrainingRequest;
import pacer.activities.training.TrainingSettings;
import pacer.trainer.spec.CanonicalYaml;
import pacer.trainer.spec.RunSpec;
import pacer.workflows.RunClaim;

/**
 * Dataset and training of a run in this process, one after the other: no workflow, no retries, nothing after. {@code resume} takes
 * it from there.
 */
final class BareTraining implements AutoCloseable {
    private final Home home;
    private final Clock clock = Clock.systemUTC();
    private final RunHub hub = new RunHub();
    private final Map<String, String> environment;
    private final RunClaim claim;
    private final RunFolder folder;
    private volatile boolean stopping;

    private BareTraining(Home home, Map<String, String> environment, RunClaim claim) {
        this.home = home;
        this.environment = environment;
        this.claim = claim;
        this.folder = home.run(claim.id());
    }

    /**
     * Takes the newest interrupted run of the same spec, or makes a new one.
     *
     * @param spec with its threads filled in
     */
    static BareTraining of(RunSpec spec, boolean fresh, Home home, Map<String, String> environment) throws IOException {
        return new BareTraining(home, environment, RunClaim.leased(home, spec, fresh));
    }

    RunFolder folder() {
        return folder;
    }

    /** Whether it goes on with an earlier run. */
    boolean resumed() {
        return claim.resumed();
    }

    /** What a person should know as it begins; mostly nothing. */
    Optional<String> notice() {
        return claim.notice();
    }

    /** Asks for an end with a checkpoint. */
    void stop() {
        stopping = true;
    }

    /** Trains to the end, telling {@code view} of it. */
    void run(RunSpec spec, String note, Budget budget, RunView view) throws IOException, InterruptedException {
        String id = folder.id();
        StageLog log = new StageLog(home, hub, clock);
        Optional<Store> store = Store.of(environment).map(Store::begin);
        Optional<StoredDatasets> datasets = store.map(StoredDatasets::new);
        Optional<StoredRuns> stored = store.map(StoredRuns::new);
        Runs runs = new Runs(
                home, hub, clock, Machine::environment, ReportWriter::write, StoredRuns.elsewhere(store, home));
        try (RunHub.Subscription _ = hub.follow(id, view)) {
            runs.open(
                    folder.exists()
                            ? RunRequest.goOn(id)
                            : new RunRequest(null, null, List.of(CanonicalYaml.write(spec)), note, id).within(budget),
                    "none: trained without a workflow");
            RunEnding ending = new RunEnding(id, RunStatus.FAILED, "ended unexpectedly");
            try {
                DatasetResult data = new Datasets(home, log, clock, FetchSettings.of(environment), datasets)
                        .prepare(new DatasetRequest(id, spec.dataset()), context(Stage.DATASET));
                new Staging(home, log, clock, datasets, LocalCache.limit(environment), FetchSettings.of(environment))
                        .stage(new StagingRequest(id, data.hash()), context(Stage.STAGE));
                new Training(home, log, hub, clock, Machine::environment, TrainingSettings.of(environment), stored)
                        .train(new TrainingRequest(id, data.hash()), id, context(Stage.TRAIN));
                ending = new RunEnding(id, RunStatus.STOPPED, "trained, not evaluated");
            } catch (StoppedException e) { // on request, or over its budget
                ending = new RunEnding(id, RunStatus.STOPPED, stopping ? "stopped on request" : e.getMessage());
                throw e;
            } catch (IOException | RuntimeException e) {
                ending = new RunEnding(
                        id,
                        stopping ? RunStatus.STOPPED : RunStatus.FAILED,
                        stopping ? "stopped on request" : Reasons.of(e));
                throw e;
            } finally {
                close(runs, ending);
            }
        }
    }

    /** A record that cannot be written must not hide why the training failed. */
    private void close(Runs runs, RunEnding ending) {
        try {
            runs.close(ending);
        } catch (IOException e) {
            hub.tell(
                    ending.run(),
                    new RunUpdate.Notice(Stage.TRAIN, "the run's record was not closed: " + Reasons.of(e)));
        }
    }

    private StageContext context(Stage stage) {
        return new StageContext() {
            @Override
            public void progress(Progress progress) {
                hub.tell(folder.id(), new RunUpdate.Advanced(progress));
            }

            @Override
            public void notice(String text) {
                hub.tell(folder.id(), new RunUpdate.Notice(stage, text));
            }

            @Override
            public Stop stop() {
                return stopping ? Stop.REQUESTED : Stop.NONE;
            }
        };
    }

    @Override
    public void close() throws IOException {
        claim.release();
    }
}
