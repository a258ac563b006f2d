package pacer.activities.run;

import java.util.List;
import java.util.Map;

/**
 * What to train: the input of the workflow. From the Temporal UI, {@code {"preset": "quickstart"}} is enough.
 *
 * @param preset a preset's name; null where the first of {@code config} is a whole spec
 * @param overrides settings on top, {@code {"train.steps": 500}}; may be null
 * @param config YAML texts between the preset and the overrides; may be null
 * @param note a line for people; may be null
 * @param run id of the run to make or, where there is one of that name, to go on with; null makes a new one. A run gone on
 *     with by its id alone keeps its spec
 */
public record RunRequest(String preset, Map<String, Object> overrides, List<String> config, String note, String run) {

    public RunRequest {
        overrides = overrides == null ? Map.of() : Map.copyOf(overrides);
        config = config == null ? List.of() : List.copyOf(config);
    }

    /** Only goes on with the run {@code id}, as it was asked for. */
    public static RunRequest goOn(String id) {
        return new RunRequest(null, null, null, null, id);
    }

    boolean namesSpec() {
        return preset != null || !config.isEmpty();
    }
}
