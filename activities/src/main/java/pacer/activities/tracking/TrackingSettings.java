package pacer.activities.tracking;

import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import pacer.activities.run.BadInputException;

/**
 * Where runs are tracked, by the variables that MLflow's own clients know. It is no part of any workflow's input or result: it holds secrets.
 *
 * @param server address of the tracking server, without a user's name or password
 * @param pages address of that server for people, whose network may be another one than the worker's
 * @param user null where none is needed
 * @param password null where none is needed
 * @param token null where none is needed; used where no user and password are given
 * @param experiment name of the experiment that runs belong to; made when it is not there
 * @param workflows address above the workflows in Temporal's UI, for links; null where it is not named
 * @param poll from one look for new events to the next
 * @param sampling from one sample of the host's CPU and memory to the next
 * @param answer how long a request may go without an answer
 */
public record TrackingSettings(
        URI server,
        URI pages,
        String user,
        String password,
        String token,
        String experiment,
        URI workflows,
        Duration poll,
        Duration sampling,
        Duration answer) {
    private static final String SERVER = "MLFLOW_TRACKING_URI";
    private static final String PAGES = "PACER_MLFLOW_UI";
    private static final String EXPERIMENT = "pacer";

    /**
     * The settings of this machine; empty where it names no server.
     *
     * @throws BadInputException when what it names is none that can be sent to
     */
    public static Optional<TrackingSettings> of(Map<String, String> environment) {
        String address = environment.getOrDefault(SERVER, "").strip();
        if (address.isEmpty()) {
            return Optional.empty();
        }
        URI uri = address(SERVER, address, "http://localhost:5000");
        String[] inAddress =
                uri.getUserInfo() == null ? new String[0] : uri.getUserInfo().split(":", 2);
        return Optional.of(new TrackingSettings(
                bare(uri),
                pages(environment).orElseGet(() -> bare(uri)),
                given(environment, "MLFLOW_TRACKING_USERNAME", inAddress.length > 0 ? inAddress[0] : null),
                given(environment, "MLFLOW_TRACKING_PASSWORD", inAddress.length > 1 ? inAddress[1] : null),
                given(environment, "MLFLOW_TRACKING_TOKEN", null),
                given(environment, "MLFLOW_EXPERIMENT_NAME", EXPERIMENT),
                Optional.ofNullable(given(environment, "PACER_TEMPORAL_UI", null))
                        .map(ui -> bare(address("PACER_TEMPORAL_UI", ui, "http://localhost:8233")))
                        .map(ui -> URI.create(ui + "/namespaces/" + given(environment, "TEMPORAL_NAMESPACE", "default")
                                + "/workflows"))
                        .orElse(null),
                Duration.ofSeconds(1),
                Duration.ofSeconds(10),
                Duration.ofSeconds(60)));
    }

    /**
     * The address of MLflow for people, where {@code PACER_MLFLOW_UI} names one.
     *
     * @throws BadInputException when that is no address
     */
    private static Optional<URI> pages(Map<String, String> environment) {
        return Optional.ofNullable(given(environment, PAGES, null))
                .map(address -> bare(address(PAGES, address, "http://localhost:5000")));
    }

    /** These settings with another patience for answers. */
    TrackingSettings answering(Duration patience) {
        return new TrackingSettings(
                server, pages, user, password, token, experiment, workflows, poll, sampling, patience);
    }

    private static String given(Map<String, String> environment, String name, String otherwise) {
        String value = environment.getOrDefault(name, "").strip();
        return value.isEmpty() ? otherwise : value;
    }

    private static URI address(String name, String address, String example) {
        try {
            URI uri = new URI(address);
            boolean web = "http".equalsIgnoreCase(uri.getScheme()) || "https".equalsIgnoreCase(uri.getScheme());
            if (web && uri.getHost() != null && uri.getQuery() == null && uri.getFragment() == null) {
                return uri;
            }
        } catch (URISyntaxException e) {
            // its message would show a password
        }
        throw new BadInputException(name + "=" + address.replaceAll("//[^/]*@", "//")
                + ": must be http://HOST:PORT or https://HOST, such as " + example + "; unset it to do without");
    }

    /** {@code uri} without a user's name and password, and without a last slash. */
    private static URI bare(URI uri) {
        String port = uri.getPort() < 0 ? "" : ":" + uri.getPort();
        String path = uri.getRawPath().replaceAll("/+$", "");
        return URI.create(uri.getScheme() + "://" + uri.getHost() + port + path);
    }

    /** Without its secrets. */
    @Override
    public String toString() {
        return "TrackingSettings[server=" + server + ", experiment=" + experiment + "]";
    }
}
