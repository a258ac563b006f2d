package pacer.activities.tracking;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import pacer.trainer.event.TrainingEvent;

/** Metric points as MLflow's REST takes them. */
final class Points {
    /** The share of HellaSwag's endings that were chosen rightly. */
    static final String HELLASWAG = "hellaswag/accuracy";

    /** Of the checkpoint that counts; apart, as that step's own point may be there already, of another time. */
    static final String FINAL_HELLASWAG = "hellaswag/final_accuracy";

    private Points() {}

    private static final Map<String, Set<String>> KEYS = Map.of(
            "Step",
            Set.of(
                    "train/loss",
                    "train/gradient_norm",
                    "train/learning_rate",
                    "train/step_milliseconds",
                    "train/tokens_per_second"),
            "Validated",
            Set.of("validation/loss"),
            "HellaSwag",
            Set.of(HELLASWAG),
            "Skipped",
            Set.of("train/skipped"),
            "Checkpointed",
            Set.of("train/checkpoint_milliseconds"));

    /**
     * One value of one metric. Time and step are the event's: MLflow takes the same point twice for one.
     *
     * @param dataset what it was measured on; null where that is nothing
     */
    record Point(String key, double value, Instant time, long step, Dataset dataset) {

        Map<String, Object> json() {
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("key", key);
            json.put(
                    "value",
                    Double.isFinite(value) ? (Object) value : Double.toString(value)); // "NaN", as protobuf has it
            json.put("timestamp", time.toEpochMilli());
            json.put("step", step);
            if (dataset != null) {
                json.put("dataset_name", dataset.name());
                json.put("dataset_digest", dataset.digest());
            }
            return json;
        }
    }

    /** What a run is trained and measured on; {@code digest} is the beginning of its hash: MLflow shows it beside each run. */
    record Dataset(String name, String digest) {
        private static final int DIGEST = 16;

        static Dataset of(String name, String hash) {
            return new Dataset(name, hash.substring(0, Math.min(DIGEST, hash.length())));
        }
    }

    /**
     * The points of {@code events}, of each kind only those beyond the steps that were sent.
     *
     * @param newest the last step of each kind that was sent; brought up to date
     */
    static List<Point> of(List<TrainingEvent> events, Map<String, Integer> newest, Dataset dataset) {
        List<Point> points = new ArrayList<>();
        for (TrainingEvent event : events) {
            Map<String, Double> values = values(event);
            String kind = event.getClass().getSimpleName();
            if (!values.isEmpty() && event.step() > newest.getOrDefault(kind, Integer.MIN_VALUE)) {
                newest.put(kind, event.step());
                Dataset on = event instanceof TrainingEvent.HellaSwag
                        ? null
                        : dataset; // its examples are not of the dataset
                values.forEach((key, value) -> points.add(new Point(key, value, event.time(), event.step(), on)));
            }
        }
        return points;
    }

    /** The last step of each kind of which MLflow has all points, by a run's latest metrics there. */
    static Map<String, Integer> newest(JsonNode metrics) {
        Map<String, Integer> newest = new HashMap<>();
        KEYS.forEach((kind, keys) -> {
            List<Integer> last = new ArrayList<>();
            for (JsonNode metric : metrics) {
                if (keys.contains(metric.path("key").asText())) {
                    last.add(metric.path("step").asInt());
                }
            }
            if (last.size() == keys.size()) {
                newest.put(kind, Collections.min(last));
            }
        });
        return newest;
    }

    private static Map<String, Double> values(TrainingEvent event) {
        return switch (event) {
            case TrainingEvent.Step e ->
                Map.of(
                        "train/loss", e.loss(),
                        "train/gradient_norm", e.gradientNorm(),
                        "train/learning_rate", e.learningRate(),
                        "train/step_milliseconds", e.millis(),
                        "train/tokens_per_second", e.tokensPerSecond());
            case TrainingEvent.Validated e -> Map.of("validation/loss", e.loss());
            case TrainingEvent.HellaSwag e -> Map.of(HELLASWAG, e.accuracy());
            case TrainingEvent.Skipped _ -> Map.of("train/skipped", 1.0);
            case TrainingEvent.Checkpointed e -> Map.of("train/checkpoint_milliseconds", e.millis());
            case TrainingEvent.Started _,
                    TrainingEvent.Sampled _,
                    TrainingEvent.Notice _,
                    TrainingEvent.Working _,
                    TrainingEvent.Finished _,
                    TrainingEvent.Failed _ -> Map.of();
        };
    }

    /** {@code newest} to change. */
    static Map<String, Integer> copy(Map<String, Integer> newest) {
        return new HashMap<>(newest);
    }
}
