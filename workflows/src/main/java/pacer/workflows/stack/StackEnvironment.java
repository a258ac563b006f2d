package pacer.workflows.stack;

import java.io.IOException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import pacer.workflows.codec.PayloadKeys;

/**
 * What being up means for other pacer commands: variables that name the stack's services. A service that the user named stands over the stack's,
 * with all that belongs to it.
 */
public final class StackEnvironment {
    /** Says where the other variables come from, for messages. */
    public static final String ORIGIN = "PACER_SERVICES_FROM";

    private StackEnvironment() {}

    /**
     * Variables that go together.
     *
     * @param leader names the service
     * @param alike name it too
     * @param followers are of no use without it; {@code *} at the end stands for all that begins so
     */
    private record Group(String leader, List<String> alike, List<String> followers) {
        boolean isNamed(Map<String, String> environment) {
            return !environment.getOrDefault(leader, "").isBlank()
                    || alike.stream()
                            .anyMatch(
                                    name -> !environment.getOrDefault(name, "").isBlank());
        }

        boolean has(String name) {
            return name.equals(leader)
                    || alike.contains(name)
                    || followers.stream()
                            .anyMatch(f ->
                                    f.endsWith("*") ? name.startsWith(f.substring(0, f.length() - 1)) : name.equals(f));
        }
    }

    /** Stands for no {@code temporal.toml}. */
    public static final String NO_FILE = "/dev/null";

    private static final List<Group> GROUPS = List.of(
            new Group(
                    "TEMPORAL_ADDRESS",
                    List.of("TEMPORAL_PROFILE", "TEMPORAL_CONFIG_FILE"),
                    List.of(
                            "TEMPORAL_NAMESPACE",
                            "TEMPORAL_API_KEY",
                            "TEMPORAL_TLS*",
                            "TEMPORAL_GRPC_META_*",
                            "PACER_TEMPORAL_UI",
                            "PACER_CODEC_ENDPOINT")),
            new Group(
                    "MLFLOW_TRACKING_URI",
                    List.of(),
                    List.of(
                            "PACER_MLFLOW_UI",
                            "MLFLOW_TRACKING_USERNAME",
                            "MLFLOW_TRACKING_PASSWORD",
                            "MLFLOW_TRACKING_TOKEN")),
            new Group(
                    "PACER_STORE",
                    List.of(),
                    List.of(
                            "AWS_ENDPOINT_URL_S3",
                            "AWS_REGION",
                            "AWS_ACCESS_KEY_ID",
                            "AWS_SECRET_ACCESS_KEY",
                            "AWS_SESSION_TOKEN")),
            new Group("PACER_METRICS_URL", List.of(), List.of()),
            new Group("PACER_PROMETHEUS", List.of(), List.of()),
            new Group("PACER_GRAFANA", List.of(), List.of()));

    /** The variables of a stack. */
    static Map<String, String> of(StackState state) {
        Map<String, String> all = new LinkedHashMap<>();
        all.put("TEMPORAL_ADDRESS", state.address(Port.TEMPORAL));
        // TLS and API key of a service elsewhere, in temporal.toml, are not this one's
        all.put("TEMPORAL_CONFIG_FILE", NO_FILE);
        all.put("PACER_TEMPORAL_UI", state.url(Port.TEMPORAL_UI));
        all.put("MLFLOW_TRACKING_URI", state.url(Port.MLFLOW));
        all.put("PACER_STORE", "s3://" + Services.BUCKET);
        all.put("AWS_ENDPOINT_URL_S3", state.url(Port.S3));
        all.put("AWS_REGION", Services.REGION);
        all.put("AWS_ACCESS_KEY_ID", state.s3Key());
        all.put("AWS_SECRET_ACCESS_KEY", state.s3Secret());
        all.put("PACER_METRICS_URL", state.url(Port.METRICS));
        all.put("PACER_PROMETHEUS", state.url(Port.PROMETHEUS));
        if (state.docker() || state.alive(Server.GRAFANA).isPresent()) {
            all.put("PACER_GRAFANA", state.url(Port.GRAFANA));
        }
        if (state.payloadKeys() != null) {
            all.put(PayloadKeys.VARIABLE, state.payloadKeys());
            all.put("PACER_CODEC_ENDPOINT", "http://127.0.0.1:" + state.port(Port.CODEC));
        }
        all.put(ORIGIN, "pacer up");
        return all;
    }

    /**
     * {@code environment} with the services of the stack that is up, if one is; the same map where none is.
     *
     * @throws IOException when it cannot be told
     */
    public static Map<String, String> added(Map<String, String> environment) throws IOException {
        Optional<StackState> state = StackState.read(StackFolder.of(environment).path());
        boolean up = state.isPresent()
                && (state.get().docker() || state.get().alive(Server.TEMPORAL).isPresent());
        return up ? added(environment, of(state.get())) : environment;
    }

    /** Takes from {@code environment} what leads to services elsewhere: a stack's own processes know nothing of those. */
    static void removeFrom(Map<String, String> environment) {
        GROUPS.forEach(group -> environment.keySet().removeIf(group::has));
    }

    static Map<String, String> added(Map<String, String> environment, Map<String, String> stack) {
        Map<String, String> all = new HashMap<>(environment);
        for (Group group : GROUPS) {
            if (group.isNamed(environment) || !stack.containsKey(group.leader)) {
                continue;
            }
            // a password for another server must not be sent to this one
            all.keySet().removeIf(group::has);
            stack.forEach((name, value) -> {
                if (group.has(name)) {
                    all.put(name, value);
                }
            });
        }
        boolean there = !GROUPS.getFirst().isNamed(environment);
        if (there) {
            all.put(ORIGIN, stack.get(ORIGIN));
        }
        if (there && stack.containsKey(PayloadKeys.VARIABLE)) {
            all.putIfAbsent(PayloadKeys.VARIABLE, stack.get(PayloadKeys.VARIABLE)); // set to nothing means none
        }
        return all;
    }
}
