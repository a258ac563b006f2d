package pacer.workflows;

import java.net.URI;
import java.util.LinkedHashMap;
import java.util.Map;

/** Addresses, for people, of what shows runs. */
final class RunLinks {
    private RunLinks() {}

    /** Those that a worker's environment names: {@code MLFLOW_TRACKING_URI}, {@code PACER_GRAFANA}. */
    static Map<String, String> of(Map<String, String> environment) {
        Map<String, String> links = new LinkedHashMap<>();
        put(links, "MLflow", environment.get("MLFLOW_TRACKING_URI"));
        put(links, "Grafana", environment.get("PACER_GRAFANA"));
        return links;
    }

    /** What is no address of a page is no link; a password in it must not be shown. */
    private static void put(Map<String, String> links, String name, String address) {
        if (address != null
                && address.matches("https?://[^\\s()<>]+")
                && URI.create(address).getRawUserInfo() == null) {
            links.put(name, address);
        }
    }
}
