package pacer.activities.tracking;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.mlflow.api.proto.Service;
import org.mlflow.tracking.MlflowClient;

/** Finds and makes runs on a tracking server. */
final class MlflowRuns {
    /** Tag by which a run of MLflow is found again: the pacer run's id. */
    static final String TAG = "pacer.run";

    /** Tells MLflow's pages that models are trained here; else they take it for prompts and agents. */
    private static final String KIND = "mlflow.experimentKind";

    private final MlflowServer server;
    private final String experiment;

    private MlflowRuns(MlflowServer server, String experiment) {
        this.server = server;
        this.experiment = experiment;
    }

    /** Those of the experiment {@code name}, which is made if need be. */
    static MlflowRuns in(String name, MlflowServer server) throws IOException, InterruptedException {
        Optional<Service.Experiment> there = experiment(name, server);
        if (there.isEmpty()) {
            try {
                Service.CreateExperiment experiment = Service.CreateExperiment.newBuilder()
                        .setName(name)
                        .addTags(Service.ExperimentTag.newBuilder().setKey(KIND).setValue("custom_model_development"))
                        .build();
                return new MlflowRuns(server, server.call("experiments/create", c -> c.createExperiment(experiment)));
            } catch (TrackingException e) {
                if (!e.is("RESOURCE_ALREADY_EXISTS")) {
                    throw e;
                }
                there = experiment(name, server); // another was as quick
            }
        }
        return new MlflowRuns(server, there.orElseThrow().getExperimentId());
    }

    private static Optional<Service.Experiment> experiment(String name, MlflowServer server)
            throws IOException, InterruptedException {
        Optional<Service.Experiment> found =
                server.call("experiments/get-by-name", (MlflowClient c) -> c.getExperimentByName(name));
        if (found.isPresent() && found.get().getLifecycleStage().equals("deleted")) {
            String id = found.get().getExperimentId();
            throw new TrackingException(
                    "MLflow's experiment " + name + " (" + id
                            + ") is deleted: restore it, or name another by MLFLOW_EXPERIMENT_NAME",
                    400,
                    "",
                    null);
        }
        return found;
    }

    String experiment() {
        return experiment;
    }

    /** A run as {@code runs/get} tells it; empty when there is none of that id, or it was deleted. */
    Optional<JsonNode> get(String id) throws IOException, InterruptedException {
        try {
            JsonNode run = server.get("runs/get?run_id=" + id).path("run");
            boolean active = run.path("info").path("lifecycle_stage").asText().equals("active");
            return active ? Optional.of(run) : Optional.empty();
        } catch (TrackingException e) {
            if (e.is("RESOURCE_DOES_NOT_EXIST")) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /**
     * Id of the run whose tag {@link #TAG} is {@code name}, which is made if there is none: the answer to its making may have been lost, so
     * that it is always looked for first.
     */
    String findOrCreate(String name, Instant begun, String user, Map<String, String> tags)
            throws IOException, InterruptedException {
        String filter = "tags.`" + TAG + "` = '" + name + "'";
        List<Service.Run> found = server.call("runs/search", c -> c.searchRuns(
                        List.of(experiment),
                        filter,
                        Service.ViewType.ACTIVE_ONLY,
                        1,
                        List.of("attributes.start_time ASC"))
                .getItems());
        if (!found.isEmpty()) {
            return found.getFirst().getInfo().getRunId();
        }
        List<Map<String, String>> all = new ArrayList<>();
        all.add(Map.of("key", TAG, "value", name));
        tags.forEach((key, value) -> all.add(Map.of("key", key, "value", value)));
        Map<String, Object> run = Map.of(
                "experiment_id", experiment,
                "run_name", name,
                "user_id", user,
                "start_time", begun.toEpochMilli(),
                "tags", all);
        return server.post("runs/create", run)
                .path("run")
                .path("info")
                .path("run_id")
                .asText();
    }
}
