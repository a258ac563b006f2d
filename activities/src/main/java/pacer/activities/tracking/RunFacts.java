package pacer.activities.tracking;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import pacer.activities.dataset.DatasetResult;
import pacer.activities.run.Environment;
import pacer.activities.run.RunJson;
import pacer.activities.run.RunRecord;
import pacer.activities.run.RunStatus;
import pacer.activities.run.Stage;
import pacer.trainer.spec.CanonicalYaml;
import pacer.trainer.spec.RunSpec;

/** What MLflow is told of a run beside its points: tags, params, the dataset. */
record RunFacts(RunRecord record, RunSpec spec, TrackingSettings settings) {
    /** The longest param that MLflow takes. */
    private static final int PARAM = 6000;

    /** The resolved preset, flat: {@code model.layers} to {@code 4}. */
    SequencedMap<String, String> params() {
        SequencedMap<String, String> params = new LinkedHashMap<>();
        CanonicalYaml.flatten(spec)
                .forEach((path, value) -> params.put(path, value.substring(0, Math.min(PARAM, value.length()))));
        return params;
    }

    SequencedMap<String, String> tags() {
        Environment machine = record.trainedIn();
        SequencedMap<String, String> tags = new LinkedHashMap<>();
        tags.put("mlflow.runName", record.id());
        tags.put("mlflow.user", user());
        tags.put("mlflow.source.type", "LOCAL");
        tags.put("mlflow.source.name", "pacer " + machine.pacer());
        if (machine.commit() != null) {
            tags.put("mlflow.source.git.commit", machine.commit());
            tags.put("mlflow.source.git.dirty", Boolean.toString(machine.dirty()));
        }
        tags.put("mlflow.note.content", note());
        tags.put("pacer.preset", record.preset());
        tags.put("pacer.specHash", record.specHash());
        tags.put("pacer.host", machine.host());
        tags.put("pacer.workflow", workflow().orElse(record.workflowId()));
        if (record.note() != null) {
            tags.put("pacer.note", record.note());
        }
        dataset().ifPresent(dataset -> tags.put("pacer.dataset", dataset.hash()));
        tags.values().removeIf(value -> value == null);
        return tags;
    }

    /** How the run ended; what it did not come to has no value. */
    SequencedMap<String, String> ending() {
        SequencedMap<String, String> tags = new LinkedHashMap<>();
        boolean judged = record.status() == RunStatus.FINISHED && record.verdict() != null;
        tags.put("pacer.verdict", judged ? record.verdict().text() : null);
        tags.put(
                "pacer.passed",
                judged && record.verdict().passed() != null
                        ? record.verdict().passed().toString()
                        : null);
        tags.put("pacer.failure", record.failure());
        return tags;
    }

    static String user() {
        return System.getProperty("user.name");
    }

    Optional<DatasetResult> dataset() {
        return record.stage(Stage.DATASET).map(stage -> stage.resultAs(DatasetResult.class));
    }

    Optional<Points.Dataset> measuredOn() {
        return dataset().map(dataset -> Points.Dataset.of(record.preset(), dataset.hash()));
    }

    /** The dataset as {@code runs/log-inputs} takes it. */
    static List<Map<String, Object>> input(DatasetResult dataset, Points.Dataset named) {
        Map<String, Object> description = new LinkedHashMap<>();
        description.put("name", named.name());
        description.put("digest", named.digest());
        description.put("source_type", "pacer");
        description.put(
                "source",
                json(Map.of("url", dataset.source(), "sha256", dataset.rawSha256(), "dataset", dataset.hash())));
        SequencedMap<String, Object> profile = new LinkedHashMap<>();
        profile.put("train_tokens", dataset.trainTokens());
        profile.put("validation_tokens", dataset.validationTokens());
        profile.put("vocabulary", dataset.vocabulary());
        profile.put("raw_bytes", dataset.rawBytes());
        description.put("profile", json(profile));
        return List.of(Map.of(
                "dataset", description, "tags", List.of(Map.of("key", "mlflow.data.context", "value", "training"))));
    }

    /** The run's page in the Temporal UI, where that is known. */
    private Optional<String> workflow() {
        return settings.workflows() == null || record.workflowId() == null
                ? Optional.empty()
                : Optional.of(settings.workflows() + "/" + record.workflowId());
    }

    /** Markdown, for the run's page. */
    private String note() {
        StringBuilder note = new StringBuilder();
        if (record.status() == RunStatus.FINISHED && record.verdict() != null) {
            note.append("**").append(record.verdict().text()).append("**\n\n");
        }
        if (record.failure() != null) {
            note.append("**").append(record.failure()).append("**\n\n");
        }
        if (record.note() != null) {
            note.append(record.note()).append("\n\n");
        }
        note.append("Preset ").append(record.preset());
        if (spec.description() != null && !spec.description().isBlank()) {
            note.append(": ").append(spec.description());
        }
        Environment machine = record.trainedIn();
        note.append("\n\n")
                .append("Trained on ")
                .append(machine.host())
                .append(" (")
                .append(machine.cpu())
                .append(", ");
        note.append(machine.cores()).append(" cores)\n");
        workflow()
                .ifPresent(page ->
                        note.append("\n[Workflow in Temporal](").append(page).append(")\n"));
        return note.toString();
    }

    private static String json(Object value) {
        try {
            return RunJson.MAPPER.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * What the preset's own source or a published run reached, as lines beside {@code validation/loss} and HellaSwag's: a point at the first
     * step and one at the last. They have the time of the run's beginning, so that sent again they are the same.
     */
    List<Points.Point> references() {
        return Stream.concat(
                        line("validation/reference_loss", spec.expectation().referenceLoss()),
                        line(
                                "hellaswag/reference_accuracy",
                                spec.hellaSwag().given() ? spec.expectation().referenceHellaSwag() : 0))
                .toList();
    }

    private Stream<Points.Point> line(String key, double value) {
        int last = record.lastStep(spec.train().steps());
        return IntStream.of(0, last)
                .distinct()
                .filter(_ -> value > 0)
                .mapToObj(step -> new Points.Point(key, value, record.created(), step, null));
    }
}
