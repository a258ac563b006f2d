package pacer.activities.run;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Which preset to train how often to show that its mean validation loss is at most a target. From the Temporal UI,
 * {@code {"preset": "quickstart", "runs": 5, "target": 1.9}} is enough.
 *
 * @param preset as in {@link RunRequest}, like {@code overrides}, {@code config}, {@code note} and {@code sets}
 * @param budget for all runs together; null for none
 * @param runs how many runs at most; null for the standard
 * @param target validation loss, nats a token, that the mean must not be above; null for the one that the preset expects
 * @param looks after how many runs the losses are looked at, ascending; null for once, after all
 * @param parallel runs at work at a time; null for as many as hosts train
 * @param seed of the first run, each later one's is one more; null for the preset's
 * @param faults what of the input as it was written cannot be meant
 */
public record RecordRequest(
        String preset,
        Map<String, Object> overrides,
        List<String> config,
        String note,
        List<String> sets,
        Budget budget,
        Integer runs,
        Double target,
        List<Integer> looks,
        Integer parallel,
        Long seed,
        List<String> faults) {

    public RecordRequest {
        overrides = overrides == null ? Map.of() : Collections.unmodifiableMap(new LinkedHashMap<>(overrides));
        config = config == null ? List.of() : Collections.unmodifiableList(new ArrayList<>(config));
        sets = sets == null ? List.of() : Collections.unmodifiableList(new ArrayList<>(sets));
        looks = looks == null ? List.of() : List.copyOf(looks);
        faults = faults == null ? List.of() : List.copyOf(faults);
    }

    /** Asks for runs of what {@code run} asks for. */
    public static RecordRequest of(
            RunRequest run, Integer runs, Double target, List<Integer> looks, Integer parallel, Long seed) {
        return new RecordRequest(
                run.preset(),
                run.overrides(),
                run.config(),
                run.note(),
                run.sets(),
                run.budget(),
                runs,
                target,
                looks,
                parallel,
                seed,
                null);
    }

    /** Reads what somebody wrote, perhaps by hand; as {@link RunRequest#read}. */
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    static RecordRequest read(JsonNode input) {
        return new RequestReader(input).readRecord();
    }

    /** What every run of it is asked for, but for its seed. */
    public RunRequest run() {
        return new RunRequest(preset, overrides, config, note, null, sets, null, null, null, faults);
    }

    /**
     * One of its runs.
     *
     * @param within what is left of the budget; null for no limit
     */
    public RunRequest run(long withSeed, Budget within) {
        List<String> all = new ArrayList<>(sets);
        all.add("seed=" + withSeed); // the last one counts
        return new RunRequest(preset, overrides, config, note, null, all, within, null, null, null);
    }
}
