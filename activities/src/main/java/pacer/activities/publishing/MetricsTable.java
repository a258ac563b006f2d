package pacer.activities.publishing;

import java.nio.charset.StandardCharsets;
import java.util.TreeMap;
import pacer.trainer.event.TrainingEvent;

/** {@code metrics.csv}: a line for each step that something is known of. */
final class MetricsTable {
    private static final String HEADER =
            "step,time,loss,gradient_norm,learning_rate,step_millis,tokens_per_second,validation_loss\n";

    private final TreeMap<Integer, TrainingEvent.Step> steps = new TreeMap<>();
    private final TreeMap<Integer, TrainingEvent.Validated> validations = new TreeMap<>();

    void take(TrainingEvent event) {
        switch (event) {
            case TrainingEvent.Step step -> steps.put(step.step(), step);
            case TrainingEvent.Validated validated -> validations.put(validated.step(), validated);
            case TrainingEvent.Started _,
                    TrainingEvent.Skipped _,
                    TrainingEvent.Sampled _,
                    TrainingEvent.Checkpointed _,
                    TrainingEvent.Notice _,
                    TrainingEvent.Working _,
                    TrainingEvent.Finished _,
                    TrainingEvent.Failed _ -> {}
        }
    }

    byte[] csv() {
        StringBuilder csv = new StringBuilder(HEADER);
        TreeMap<Integer, TrainingEvent> all = new TreeMap<>(validations);
        all.putAll(steps);
        all.forEach((number, event) -> {
            csv.append(number).append(',').append(event.time());
            if (event instanceof TrainingEvent.Step step) {
                csv.append(',').append(step.loss());
                csv.append(',').append(step.gradientNorm());
                csv.append(',').append(step.learningRate());
                csv.append(',').append(step.millis());
                csv.append(',').append(step.tokensPerSecond());
            } else {
                csv.append(",,,,,");
            }
            csv.append(',');
            if (validations.containsKey(number)) {
                csv.append(validations.get(number).loss());
            }
            csv.append('\n');
        });
        return csv.toString().getBytes(StandardCharsets.UTF_8);
    }
}
