package pacer.workflows;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import pacer.activities.dataset.FetchSettings;
import pacer.activities.evaluation.EvaluationSettings;
import pacer.activities.publishing.report.ReportWriter;
import pacer.activities.run.Home;
import pacer.activities.run.LocalCache;
import pacer.activities.run.Runs;
import pacer.activities.store.Store;
import pacer.activities.training.TrainingSettings;

/** What a worker needs to know of its machine. */
record WorkerSettings(
        Home home,
        FetchSettings fetch,
        TrainingSettings training,
        EvaluationSettings evaluation,
        Runs.Report report,
        Policies policies,
        Optional<Store> store,
        OptionalLong cacheLimit) {

    /** Without a store. */
    WorkerSettings(
            Home home,
            FetchSettings fetch,
            TrainingSettings training,
            EvaluationSettings evaluation,
            Runs.Report report,
            Policies policies) {
        this(home, fetch, training, evaluation, report, policies, Optional.empty(), OptionalLong.empty());
    }

    static WorkerSettings of(Home home, Map<String, String> environment) {
        return new WorkerSettings(
                home,
                FetchSettings.of(environment),
                TrainingSettings.of(environment),
                EvaluationSettings.of(environment),
                ReportWriter::write,
                Policies.standard(),
                Store.of(environment),
                LocalCache.limit(environment));
    }

    /** These settings with a trainer that starts now and stands by for the first training. */
    WorkerSettings standingBy() {
        return new WorkerSettings(
                home, fetch, training.standingBy(home.cache()), evaluation, report, policies, store, cacheLimit);
    }
}
