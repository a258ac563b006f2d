package pacer.activities.publishing;

import java.nio.charset.StandardCharsets;
import java.util.TreeMap;
import pacer.activities.publishing.report.RunHistory;
import pacer.trainer.event.TrainingEvent;

/** {@code metrics.csv}: a line for each step that something is known of. */
final class MetricsTable {
    private static final String HEADER =
            "step,time,loss,gradient_norm,learning_rate,step_millis,tokens_per_second,validation_loss\n";

    private MetricsTable() {}

    static byte[] csv(RunHistory history) {
        StringBuilder csv = new StringBuilder(HEADER);
        TreeMap<Integer, TrainingEvent.Validated> validations = new TreeMap<>();
        history.validations().forEach(validated -> validations.put(validated.step(), validated));
        TreeMap<Integer, TrainingEvent> all = new TreeMap<>(validations);
        history.steps().forEach(step -> all.put(step.step(), step));
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
