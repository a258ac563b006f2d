package pacer.activities.run;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import pacer.trainer.spec.DatasetSpec;

/**
 * Which dataset to prepare. From the Temporal UI, {@code {"preset": "quickstart"}} is enough, or {@code {"dataset": {"url": …}}}.
 *
 * @param preset a preset's name, whose dataset is meant; null where {@code dataset} says all of it
 * @param overrides settings on top, {@code {"dataset.shards": 9}}
 * @param config YAML texts between the preset and the overrides
 * @param sets settings on top of all, {@code dataset.shards=9}
 * @param dataset the dataset's settings, on top of the preset's, or of the defaults where there is no preset; may be null
 * @param host where its raw file is, if that is a file of one host; may be null
 * @param faults what of the input as it was written cannot be meant, for the refusal
 */
public record PreparationRequest(
        String preset,
        Map<String, Object> overrides,
        List<String> config,
        List<String> sets,
        Map<String, Object> dataset,
        String host,
        List<String> faults) {

    /** Any: its model and training do not matter. */
    private static final String BASE = "quickstart";

    /** What a dataset has that says no more than its address; {@link DatasetSpec} documents them. */
    private static final Map<String, Object> DEFAULTS = Map.of(
            "sha256", "", "format", "text", "tokenizer", "gpt2", "validationFraction", 0.1, "shards", 0, "mirrors", "");

    public PreparationRequest {
        overrides = overrides == null ? Map.of() : Collections.unmodifiableMap(new LinkedHashMap<>(overrides));
        config = config == null ? List.of() : Collections.unmodifiableList(new ArrayList<>(config));
        sets = sets == null ? List.of() : Collections.unmodifiableList(new ArrayList<>(sets));
        dataset = dataset == null ? null : Collections.unmodifiableMap(new LinkedHashMap<>(dataset));
        faults = faults == null ? List.of() : List.copyOf(faults);
    }

    /**
     * Asks for {@code spec}.
     *
     * @param host null where its raw file is nobody's in particular
     */
    public static PreparationRequest of(DatasetSpec spec, String host) {
        Map<String, Object> settings = new LinkedHashMap<>();
        RunJson.MAPPER.valueToTree(spec).properties().forEach(entry -> {
            if (DEFAULTS.containsKey(entry.getKey()) || entry.getKey().equals("url")) {
                settings.put(entry.getKey(), RequestReader.plain(entry.getValue()));
            }
        });
        return new PreparationRequest(null, null, null, null, settings, host, null);
    }

    /** Reads what somebody wrote, perhaps by hand; as {@link RunRequest#read}. */
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    static PreparationRequest read(JsonNode input) {
        return new RequestReader(input).readPreparation();
    }

    /**
     * The dataset that is meant.
     *
     * @throws BadInputException with all faults
     */
    public DatasetSpec resolve() throws IOException {
        if (!faults.isEmpty()) {
            throw new BadInputException(String.join("\n", faults));
        }
        boolean whole = preset == null && config.isEmpty() && dataset != null;
        if (whole && !(dataset.get("url") instanceof String url && !url.isBlank())) {
            throw new BadInputException(
                    "dataset.url: missing; say where the text is, {\"dataset\": {\"url\": \"s3://BUCKET/KEY\"}}");
        }
        Map<String, Object> settings = new LinkedHashMap<>(overrides);
        if (whole) {
            DEFAULTS.forEach((name, value) -> settings.put("dataset." + name, quoted(value)));
        }
        if (dataset != null) {
            dataset.forEach((name, value) -> settings.put("dataset." + name, quoted(value)));
        }
        return SpecRequest.resolve(new RunRequest(whole ? BASE : preset, settings, config, null, null, sets))
                .dataset();
    }

    /** A text of no characters has to be in quotes to be one. */
    private static Object quoted(Object value) {
        return "".equals(value) ? "''" : value;
    }
}
