package pacer.workflows;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import pacer.activities.dataset.FetchSettings;
import pacer.activities.dataset.PreparationSettings;
import pacer.activities.evaluation.EvaluationSettings;
import pacer.activities.notification.Webhook;
import pacer.activities.publishing.report.ReportWriter;
import pacer.activities.run.Home;
import pacer.activities.run.LocalCache;
import pacer.activities.run.Runs;
import pacer.activities.run.Surroundings;
import pacer.activities.store.Store;
import pacer.activities.tracking.TrackingSettings;
import pacer.activities.training.TrainingSettings;

/**
 * What a worker needs to know of its machine.
 *
 * @param links addresses of pages about runs, by name, for people
 * @param webhook empty where nobody is told of runs
 * @param deployment of which its decisions are a version; empty for none
 * @param tracking empty where runs are not sent to a tracking server
 */
record WorkerSettings(
        Home home,
        FetchSettings fetch,
        PreparationSettings preparation,
        TrainingSettings training,
        EvaluationSettings evaluation,
        Runs.Report report,
        Map<String, String> links,
        Optional<Webhook> webhook,
        Optional<TrackingSettings> tracking,
        Optional<Store> store,
        OptionalLong cacheLimit,
        Optional<Deployment> deployment,
        Policies policies) {

    static WorkerSettings of(Home home, Map<String, String> environment) {
        Map<String, String> links = RunLinks.of(environment);
        return new WorkerSettings(
                home,
                FetchSettings.of(environment),
                PreparationSettings.of(environment),
                TrainingSettings.of(environment),
                EvaluationSettings.of(environment),
                ReportWriter::write,
                links,
                Webhook.of(environment, links),
                TrackingSettings.of(environment),
                Store.of(environment),
                LocalCache.limit(environment),
                Deployment.of(environment),
                Policies.of(environment));
    }

    /** What the worker knows of the services around it. */
    Surroundings surroundings(boolean searchable) {
        return new Surroundings(searchable, tracking.isPresent(), links);
    }

    /** These settings with a process that starts now and stands by, to train and to evaluate. */
    WorkerSettings standingBy() {
        TrainingSettings waiting = training.standingBy(home.cache());
        return with(waiting, evaluation.with(waiting.standby()));
    }

    /** These settings with other ones for training. */
    WorkerSettings with(TrainingSettings other) {
        return with(other, evaluation);
    }

    private WorkerSettings with(TrainingSettings train, EvaluationSettings evaluate) {
        return new WorkerSettings(
                home,
                fetch,
                preparation,
                train,
                evaluate,
                report,
                links,
                webhook,
                tracking,
                store,
                cacheLimit,
                deployment,
                policies);
    }

    /** These settings with another version, or none. */
    WorkerSettings with(Optional<Deployment> version) {
        return new WorkerSettings(
                home,
                fetch,
                preparation,
                training,
                evaluation,
                report,
                links,
                webhook,
                tracking,
                store,
                cacheLimit,
                version,
                policies);
    }
}
