package pacer.workflows;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** Addresses, for people, of what shows runs. */
final class RunLinks {
    static final String MLFLOW = "MLflow";

    static final String TEMPORAL = "Temporal";

    /** The run's own page, which is known when MLflow has it. */
    static final String MLFLOW_RUN = "MLflow run";

    /** The page in Temporal of the workflow that a run was made for. */
    static final String REPRODUCTION = "Reproduction";

    private RunLinks() {}

    /** Those that a worker's environment names: {@code PACER_MLFLOW_UI}, else {@code MLFLOW_TRACKING_URI}; {@code PACER_GRAFANA}. */
    static Map<String, String> of(Map<String, String> environment) {
        Map<String, String> links = new LinkedHashMap<>();
        String server = environment.getOrDefault("MLFLOW_TRACKING_URI", "").strip();
        String forPeople = environment.getOrDefault("PACER_MLFLOW_UI", "").strip();
        put(links, MLFLOW, server.isEmpty() || forPeople.isEmpty() ? server : forPeople);
        put(links, "Grafana", environment.get("PACER_GRAFANA"));
        return links;
    }

    /** The page of the workflow {@code id} in Temporal's UI, where {@code PACER_TEMPORAL_UI} names that. */
    static Optional<String> workflow(Map<String, String> environment, String namespace, String id) {
        return workflow(environment.getOrDefault("PACER_TEMPORAL_UI", ""), namespace, id);
    }

    /** The page of the workflow {@code id} in the UI at {@code address}; empty where that is none. */
    static Optional<String> workflow(String address, String namespace, String id) {
        String ui = address.strip().replaceFirst("/+$", "");
        return Optional.of("%s/namespaces/%s/workflows/%s".formatted(ui, namespace, id))
                .filter(RunLinks::isPage);
    }

    private static void put(Map<String, String> links, String name, String address) {
        if (address != null && isPage(address)) {
            links.put(name, address);
        }
    }

    /** What is no address of a page is no link; a password in it must not be shown. */
    static boolean isPage(String address) {
        try {
            return address.matches("https?://[^\\s()<>]+") && new URI(address).getRawUserInfo() == null;
        } catch (URISyntaxException e) {
            return false;
        }
    }
}
