package pacer.activities.run;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Which preset to train with which settings and how many seeds. From the Temporal UI,
 * {@code {"preset": "quickstart", "vary": {"optimizer.learningRate": [0.001, 0.003]}, "seeds": 3}} is enough.
 *
 * @param preset as in {@link RunRequest}, like {@code overrides}, {@code config}, {@code note} and {@code sets}
 * @param budget for all runs together; null for none, or, of a sweep that is gone on with, for the one it had
 * @param vary values of settings, of which all combinations are trained, the last setting changing soonest
 * @param rows settings that go together, a row a point; each with every combination of {@code vary}
 * @param seeds runs of each point, the first with the preset's seed, each later one's is one more; null for one
 * @param parallel runs at work at a time; null for as many as hosts train
 * @param stopEarly from which validation of a run on the median rule may stop it; null for never
 * @param sweep id of a sweep to go on with, as it was asked for; null for a new one
 * @param host name of the host that has the folder of {@code sweep}; null for any
 * @param faults what of the input as it was written cannot be meant
 */
public record SweepRequest(
        String preset,
        Map<String, Object> overrides,
        List<String> config,
        String note,
        List<String> sets,
        Budget budget,
        Map<String, List<String>> vary,
        List<Map<String, String>> rows,
        Integer seeds,
        Integer parallel,
        Integer stopEarly,
        String sweep,
        String host,
        List<String> faults) {

    public SweepRequest {
        overrides = overrides == null ? Map.of() : Collections.unmodifiableMap(new LinkedHashMap<>(overrides));
        config = config == null ? List.of() : Collections.unmodifiableList(new ArrayList<>(config));
        sets = sets == null ? List.of() : Collections.unmodifiableList(new ArrayList<>(sets));
        vary = vary == null ? Map.of() : Collections.unmodifiableMap(new LinkedHashMap<>(vary));
        rows = rows == null ? List.of() : List.copyOf(rows);
        faults = faults == null ? List.of() : List.copyOf(faults);
    }

    /** Asks for runs of what {@code run} asks for. */
    public static SweepRequest of(
            RunRequest run,
            Map<String, List<String>> vary,
            List<Map<String, String>> rows,
            Integer seeds,
            Integer parallel,
            Integer stopEarly) {
        return new SweepRequest(
                run.preset(),
                run.overrides(),
                run.config(),
                run.note(),
                run.sets(),
                run.budget(),
                vary,
                rows,
                seeds,
                parallel,
                stopEarly,
                null,
                null,
                null);
    }

    /** Goes on with the sweep {@code id}, on the host that has its folder. */
    public static SweepRequest goOn(String id, String host, Budget budget, Integer parallel) {
        return new SweepRequest(null, null, null, null, null, budget, null, null, null, parallel, null, id, host, null);
    }

    /** Reads what somebody wrote, perhaps by hand; as {@link RunRequest#read}. */
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    static SweepRequest read(JsonNode input) {
        return new RequestReader(input).readSweep();
    }

    /** This one within {@code most}, so many runs at a time; null leaves what it had. */
    public SweepRequest within(Budget most, Integer atATime) {
        return new SweepRequest(
                preset,
                overrides,
                config,
                note,
                sets,
                most == null ? budget : most,
                vary,
                rows,
                seeds,
                atATime == null ? parallel : atATime,
                stopEarly,
                null,
                null,
                null);
    }

    /** What every run of it is asked for, with {@code settings} on top. */
    public RunRequest run(Map<String, String> settings) {
        return new RunRequest(preset, overrides, config, note, null, over(settings), null, null, null, faults);
    }

    /**
     * One of its runs.
     *
     * @param id of the run
     * @param noted a line for people
     * @param within what is left of the budget; null for no limit
     */
    public RunRequest run(Map<String, String> settings, long seed, String id, String noted, Budget within) {
        List<String> all = over(settings);
        all.add("seed=" + seed); // the last one counts
        return new RunRequest(preset, overrides, config, noted, id, all, within, null, null, null);
    }

    private List<String> over(Map<String, String> settings) {
        List<String> all = new ArrayList<>(sets);
        settings.forEach((path, value) -> all.add(path + "=" + value));
        return all;
    }
}
