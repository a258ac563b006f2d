package pacer.activities.tracking;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.mlflow.api.proto.ModelRegistry.ModelVersion;
import org.mlflow.api.proto.ModelRegistry.ModelVersionTag;
import org.mlflow.tracking.Page;
import pacer.activities.evaluation.EvaluationResult;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunRecord;
import pacer.activities.run.Stage;
import pacer.activities.run.StageRecord;
import pacer.trainer.checkpoint.Checkpoint;

/**
 * Makes the model of a finished run a version of the registered model that bears its preset's name. Every step looks first whether it was
 * done, so that all can be done again.
 *
 * @param run id of the MLflow run
 */
record ModelVersions(MlflowServer server, String experiment, String run, RunFolder folder, RunRecord record) {
    private static final String CHECKPOINT = "pacer.checkpoint";
    private static final String LOSS = "pacer.validationLoss";
    private static final String DATA = "pacer.validationData";
    private static final String TOKENS = "pacer.validationTokens";
    private static final String BEST = "best";
    private static final String DESCRIPTION =
            "Trained by pacer from its preset of this name; a version is the checkpoint of a finished run.";
    private static final int PAGE = 200;

    /**
     * Sends the model and registers it, as {@code best} if its validation loss is the lowest of all versions that were measured on the same data, and
     * as {@code champion}. MLflow has {@code latest} by itself.
     *
     * @return name and version; empty where the run has no checkpoint, or the server takes no artifacts
     */
    Optional<String> publish(Points.Dataset dataset, boolean champion) throws IOException, InterruptedException {
        Optional<StageRecord> stage = record.stage(Stage.EVALUATE).filter(done -> done.result() != null);
        if (stage.isEmpty()) {
            return Optional.empty();
        }
        EvaluationResult measured = stage.get().resultAs(EvaluationResult.class);
        Path checkpoint = folder.path().resolve(measured.checkpoint());
        if (!Files.isDirectory(checkpoint)) {
            return Optional.empty();
        }
        JsonNode model = loggedModel(measured);
        String id = model.path("info").path("model_id").asText();
        Optional<Artifacts> artifacts =
                Artifacts.at(model.path("info").path("artifact_uri").asText(), server);
        if (artifacts.isEmpty()) {
            return Optional.empty();
        }
        if (!model.path("info").path("status").asText().equals("LOGGED_MODEL_READY")) {
            send(artifacts.get(), checkpoint, id);
            server.patch("logged-models/" + id, Map.of("model_id", id, "status", "LOGGED_MODEL_READY"));
        }
        asOutput(id, measured.step());
        measurement(id, measured, stage.get().ended(), dataset);
        return Optional.of(registered(id, measured, champion));
    }

    /** The run's model of this checkpoint, made if need be. */
    private JsonNode loggedModel(EvaluationResult measured) throws IOException, InterruptedException {
        JsonNode found = server.post(
                "logged-models/search",
                Map.of("experiment_ids", List.of(experiment), "filter", "source_run_id = '" + run + "'"));
        for (JsonNode model : found.path("models")) {
            for (JsonNode tag : model.path("info").path("tags")) {
                // a run that is trained further after its end comes to another
                if (tag.path("key").asText().equals(CHECKPOINT)
                        && tag.path("value").asText().equals(measured.checkpoint())) {
                    return model;
                }
            }
        }
        Map<String, Object> model = new LinkedHashMap<>();
        model.put("experiment_id", experiment);
        model.put("name", name());
        model.put("model_type", "gpt");
        model.put("source_run_id", run);
        model.put(
                "tags",
                List.of(
                        tag(MlflowRuns.TAG, record.id()),
                        tag(CHECKPOINT, measured.checkpoint()),
                        tag("mlflow.source.name", "pacer"),
                        tag("mlflow.source.type", "LOCAL")));
        return server.post("logged-models", model).path("model");
    }

    private void send(Artifacts artifacts, Path checkpoint, String id) throws IOException, InterruptedException {
        artifacts.put("preset.yaml", folder.preset());
        artifacts.put(Checkpoint.WEIGHTS, checkpoint.resolve(Checkpoint.WEIGHTS));
        // what MLflow's own clients look for in a model's folder
        String description = """
                artifact_path: %s
                flavors:
                  pacer:
                    weights: %s
                    preset: preset.yaml
                model_id: %s
                run_id: %s
                utc_time_created: '%s'
                """.formatted(
                        name(),
                        Checkpoint.WEIGHTS,
                        id,
                        run,
                        record.finished().toString().replace('T', ' ').replace("Z", ""));
        artifacts.put("MLmodel", description.getBytes(StandardCharsets.UTF_8));
    }

    private void asOutput(String id, int step) throws IOException, InterruptedException {
        JsonNode outputs =
                server.get("runs/get?run_id=" + run).path("run").path("outputs").path("model_outputs");
        for (JsonNode output : outputs) {
            if (output.path("model_id").asText().equals(id)) {
                return;
            }
        }
        server.post("runs/outputs", Map.of("run_id", run, "models", List.of(Map.of("model_id", id, "step", step))));
    }

    /** The loss by which models are compared, and HellaSwag's end: points of the run and of the model, on its dataset. */
    private void measurement(String id, EvaluationResult measured, Instant time, Points.Dataset dataset)
            throws IOException, InterruptedException {
        List<Points.Point> points = new ArrayList<>();
        points.add(
                new Points.Point("validation/final_loss", measured.validationLoss(), time, measured.step(), dataset));
        if (measured.hellaSwag() != null) {
            points.add(new Points.Point(Points.FINAL_HELLASWAG, measured.hellaSwag(), time, measured.step(), null));
        }
        List<Map<String, Object>> metrics =
                points.stream().map(Points.Point::json).toList();
        metrics.forEach(point -> point.put("model_id", id));
        server.post("runs/log-batch", Map.of("run_id", run, "metrics", metrics));
    }

    private String registered(String id, EvaluationResult measured, boolean champion)
            throws IOException, InterruptedException {
        List<ModelVersion> before = versions();
        if (before.isEmpty()) {
            try {
                server.post("registered-models/create", Map.of("name", name(), "description", DESCRIPTION));
            } catch (TrackingException e) {
                if (!e.is("RESOURCE_ALREADY_EXISTS")) {
                    throw e;
                }
            }
        }
        Optional<ModelVersion> there =
                before.stream().filter(v -> isOf(v, measured)).findFirst();
        if (there.isEmpty()) {
            Map<String, Object> version = new LinkedHashMap<>();
            version.put("name", name());
            version.put("source", "models:/" + id);
            version.put("run_id", run);
            version.put("model_id", id);
            version.put(
                    "description",
                    record.verdict() == null ? "" : record.verdict().text());
            List<Map<String, String>> tags = new ArrayList<>(List.of(
                    tag(MlflowRuns.TAG, record.id()),
                    tag(CHECKPOINT, measured.checkpoint()),
                    tag(LOSS, Double.toString(measured.validationLoss())),
                    tag(TOKENS, Long.toString(measured.tokens()))));
            if (measured.validationData() != null) {
                tags.add(tag(DATA, measured.validationData()));
            }
            version.put("tags", tags);
            server.post("model-versions/create", version);
        }
        List<ModelVersion> all = versions();
        ModelVersion ours =
                all.stream().filter(v -> isOf(v, measured)).findFirst().orElseThrow();
        Optional<ModelVersion> best = best(all, ours);
        if (best.isPresent()) {
            alias(BEST, best.get().getVersion());
        }
        if (champion) {
            alias("champion", ours.getVersion());
        }
        return name() + "/" + ours.getVersion();
    }

    /**
     * The version of the lowest loss on the data of the one that has the name now, so that a run on other data neither takes the name nor is held
     * against it; on the data of {@code ours} where none has it, or it does not say.
     */
    private Optional<ModelVersion> best(List<ModelVersion> all, ModelVersion ours)
            throws IOException, InterruptedException {
        JsonNode aliases = server.get("registered-models/get?name=" + URLEncoder.encode(name(), StandardCharsets.UTF_8))
                .path("registered_model")
                .path("aliases");
        String holder = "";
        for (JsonNode alias : aliases) {
            if (alias.path("alias").asText().equals(BEST)) {
                holder = alias.path("version").asText();
            }
        }
        String had = holder;
        Optional<String> data = all.stream()
                .filter(v -> v.getVersion().equals(had))
                .findFirst()
                .flatMap(ModelVersions::measuredOn)
                .or(() -> measuredOn(ours));
        return all.stream()
                .filter(v -> data.isPresent() && measuredOn(v).equals(data) && Double.isFinite(loss(v)))
                .min(Comparator.comparingDouble(ModelVersions::loss)
                        .thenComparing(v -> Integer.parseInt(v.getVersion())));
    }

    /** What its loss was measured on; empty for one from before that was told. */
    private static Optional<String> measuredOn(ModelVersion version) {
        return tagOf(version, DATA).flatMap(data -> tagOf(version, TOKENS).map(tokens -> data + " " + tokens));
    }

    private List<ModelVersion> versions() throws IOException, InterruptedException {
        String filter = "name = '" + name() + "'";
        List<ModelVersion> all = new ArrayList<>();
        Page<ModelVersion> page =
                server.call("model-versions/search", c -> c.searchModelVersions(filter, PAGE, List.of(), null));
        page.getItems().forEach(all::add);
        while (page.hasNextPage()) {
            Page<ModelVersion> before = page;
            page = server.call("model-versions/search", _ -> before.getNextPage());
            page.getItems().forEach(all::add);
        }
        return all;
    }

    private boolean isOf(ModelVersion version, EvaluationResult measured) {
        return version.getRunId().equals(run)
                && version.getTagsList().stream()
                        .anyMatch(tag -> tag.getKey().equals(CHECKPOINT)
                                && tag.getValue().equals(measured.checkpoint()));
    }

    private static double loss(ModelVersion version) {
        return tagOf(version, LOSS).map(Double::parseDouble).orElse(Double.NaN);
    }

    private static Optional<String> tagOf(ModelVersion version, String key) {
        return version.getTagsList().stream()
                .filter(tag -> tag.getKey().equals(key))
                .map(ModelVersionTag::getValue)
                .findFirst();
    }

    private void alias(String alias, String version) throws IOException, InterruptedException {
        server.post("registered-models/alias", Map.of("name", name(), "alias", alias, "version", version));
    }

    /** MLflow takes neither slashes nor colons. */
    private String name() {
        return record.preset().replaceAll("[/:]", "-");
    }

    private static Map<String, String> tag(String key, String value) {
        return Map.of("key", key, "value", value);
    }
}
