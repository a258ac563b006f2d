package pacer.activities.run;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What to train: the input of the workflow. From the Temporal UI, {@code {"preset": "quickstart"}} is enough.
 *
 * @param preset a preset's name; null where the first of {@code config} is a whole spec
 * @param overrides settings on top, {@code {"train.steps": 500}}, in the order given; may be null
 * @param config YAML texts between the preset and the overrides; may be null
 * @param note a line for people; may be null
 * @param run id of the run to make or, where there is one of that name, to go on with; null makes a new one. A run gone on
 *     with by its id alone keeps its spec; settings without a preset or config lie on top of that
 * @param sets settings on top of all, {@code train.steps=500}, of which a later one stands over an earlier; may be null
 * @param budget after which the run is stopped; null for none, or, of a run that is gone on with, for the one it had
 * @param lastStep where training ends from now on, of a run that is gone on with; null: where it was to end
 * @param host name of the host that has the folder of {@code run}: the run is gone on with there, and never made anew; null for any host
 * @param faults what of the input as it was written cannot be meant, for the refusal; may be null
 */
public record RunRequest(
        String preset,
        Map<String, Object> overrides,
        List<String> config,
        String note,
        String run,
        List<String> sets,
        Budget budget,
        Integer lastStep,
        String host,
        List<String> faults) {

    public RunRequest {
        // neither Map.copyOf nor List.copyOf bears a null, of which SpecRequest has more to say
        overrides = overrides == null ? Map.of() : Collections.unmodifiableMap(new LinkedHashMap<>(overrides));
        config = config == null ? List.of() : Collections.unmodifiableList(new ArrayList<>(config));
        sets = sets == null ? List.of() : Collections.unmodifiableList(new ArrayList<>(sets));
        faults = faults == null ? List.of() : List.copyOf(faults);
    }

    public RunRequest(
            String preset,
            Map<String, Object> overrides,
            List<String> config,
            String note,
            String run,
            List<String> sets) {
        this(preset, overrides, config, note, run, sets, null, null, null, null);
    }

    public RunRequest(String preset, Map<String, Object> overrides, List<String> config, String note, String run) {
        this(preset, overrides, config, note, run, null);
    }

    /** Only goes on with the run {@code id}, as it was asked for. */
    public static RunRequest goOn(String id) {
        return new RunRequest(null, null, null, null, id);
    }

    /** This one within {@code most}. */
    public RunRequest within(Budget most) {
        return new RunRequest(preset, overrides, config, note, run, sets, most, lastStep, host, faults);
    }

    /** This one to train until {@code step}. */
    public RunRequest until(Integer step) {
        return new RunRequest(preset, overrides, config, note, run, sets, budget, step, host, faults);
    }

    /** This one to go on with the run where its folder is. */
    public RunRequest on(String itsHost) {
        return new RunRequest(preset, overrides, config, note, run, sets, budget, lastStep, itsHost, faults);
    }

    /**
     * Reads what somebody wrote, perhaps by hand. What cannot be meant becomes a fault, so that the run is refused in words of ours: a
     * failure to read would be told in a library's.
     */
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    static RunRequest read(JsonNode input) {
        return new RequestReader(input).read();
    }

    public boolean namesSpec() {
        return preset != null || !config.isEmpty();
    }

    /** Whether only a run that there is already will do. */
    boolean goesOn() {
        return run != null && (host != null || !namesSpec());
    }

    /** Whether a run that is gone on with is to have another spec than it has. */
    public boolean changesSpec() {
        return namesSpec() || !overrides.isEmpty() || !sets.isEmpty();
    }

    /** This one with its settings on top of the spec in {@code file}. */
    RunRequest over(Path file) throws IOException {
        return new RunRequest(
                null, overrides, List.of(Files.readString(file)), note, run, sets, budget, lastStep, host, faults);
    }
}
