package pacer.workflows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import pacer.activities.dataset.FetchSettings;
import pacer.activities.dataset.PreparationSettings;
import pacer.activities.evaluation.EvaluationSettings;
import pacer.activities.notification.Webhook;
import pacer.activities.process.JavaCommand;
import pacer.activities.run.Home;
import pacer.activities.store.Store;
import pacer.activities.tracking.TrackingSettings;
import pacer.activities.training.ProtocolEvaluator;
import pacer.activities.training.ProtocolTrainer;
import pacer.activities.training.TrainingSettings;

/** Pipelines of tests: everything is real but the arithmetic of the trainer. */
final class TestPipelines {
    private TestPipelines() {}

    /**
     * Settings whose trainers and evaluators are the protocol's.
     *
     * @param properties system properties of those, {@code mishap=crash}
     */
    static WorkerSettings settings(Home home, String... properties) {
        return settings(home, Policies.standard(), properties);
    }

    static WorkerSettings settings(Home home, Policies policies, String... properties) {
        JavaCommand java = java(properties);
        return new WorkerSettings(
                home,
                FetchSettings.of(Map.of()),
                PreparationSettings.of(Map.of()),
                new TrainingSettings(
                        java,
                        ProtocolTrainer.class.getName(),
                        Duration.ofSeconds(20),
                        Duration.ofSeconds(60),
                        Duration.ofSeconds(60),
                        2,
                        Optional.empty()),
                new EvaluationSettings(
                        java,
                        ProtocolEvaluator.class.getName(),
                        Duration.ofSeconds(5),
                        Duration.ofSeconds(60),
                        Optional.empty()),
                folder -> Files.writeString(folder.resolve("report.html"), "<p>" + folder.getFileName()),
                Map.of(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                OptionalLong.empty(),
                Optional.empty(),
                policies);
    }

    /** {@code usual} settings, with runs sent to MLflow. */
    static WorkerSettings tracked(WorkerSettings usual, TrackingSettings tracking) {
        return new WorkerSettings(
                usual.home(),
                usual.fetch(),
                usual.preparation(),
                usual.training(),
                usual.evaluation(),
                usual.report(),
                usual.links(),
                usual.webhook(),
                Optional.of(tracking),
                usual.store(),
                usual.cacheLimit(),
                usual.deployment(),
                usual.policies());
    }

    /** {@code usual} settings, with a webhook that is told of runs. */
    static WorkerSettings told(WorkerSettings usual, Webhook webhook) {
        return new WorkerSettings(
                usual.home(),
                usual.fetch(),
                usual.preparation(),
                usual.training(),
                usual.evaluation(),
                usual.report(),
                usual.links(),
                Optional.of(webhook),
                usual.tracking(),
                usual.store(),
                usual.cacheLimit(),
                usual.deployment(),
                usual.policies());
    }

    /** {@code usual} settings, with a store. */
    static WorkerSettings shared(WorkerSettings usual, Store store, PreparationSettings preparation) {
        return new WorkerSettings(
                usual.home(),
                usual.fetch(),
                preparation,
                usual.training(),
                usual.evaluation(),
                usual.report(),
                usual.links(),
                usual.webhook(),
                usual.tracking(),
                Optional.of(store),
                usual.cacheLimit(),
                usual.deployment(),
                usual.policies());
    }

    private static JavaCommand java(String... properties) {
        List<String> java = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC"));
        for (String property : properties) {
            java.add("-D" + property);
        }
        java.addAll(List.of("-cp", System.getProperty("java.class.path")));
        return new JavaCommand(java);
    }

    /** A pipeline on the service inside this process. */
    static Pipeline embedded(Home home, String... properties) throws IOException {
        return Pipeline.open(home, TemporalAddress.embedded(), settings(home, properties));
    }

    /** A small run on {@code text}. */
    static SpecLayers layers(Path text, String... more) throws IOException {
        return SpecLayers.load("quickstart", List.of(), sets(text, more));
    }

    private static List<String> sets(Path text, String... more) {
        List<String> sets = new ArrayList<>(List.of(
                "dataset.url=file:" + text.toAbsolutePath(),
                "dataset.sha256=''",
                "train.steps=30",
                "schedule.warmupSteps=5",
                "checkpoint.everySteps=10",
                "expectation.validationLoss=1.5"));
        sets.addAll(List.of(more));
        return sets;
    }
}
