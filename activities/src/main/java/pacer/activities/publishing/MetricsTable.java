package pacer.activities.publishing;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import pacer.trainer.checkpoint.EventLog;
import pacer.trainer.event.TrainingEvent;
import pacer.trainer.event.TrainingEvent.Step;
import pacer.trainer.event.TrainingEvent.Validated;

/** {@code metrics.csv}: a line for each step that something is known of, in the order in which it was known. */
final class MetricsTable {
    private static final String HEADER =
            "step,time,loss,gradient_norm,learning_rate,step_millis,tokens_per_second,validation_loss\n";

    private final OutputStream out;
    private final Map<Integer, Double> validations = new HashMap<>(); // those whose line is not written yet

    private MetricsTable(OutputStream out) {
        this.out = out;
    }

    /** Writes the table of {@code events}, line by line: there may be millions. */
    static void write(Path events, Iterable<Validated> validations, OutputStream out) throws IOException {
        MetricsTable table = new MetricsTable(out);
        validations.forEach(v -> table.validations.put(v.step(), v.loss()));
        out.write(HEADER.getBytes(StandardCharsets.UTF_8));
        try {
            EventLog.readCounted(events, table::add, damage -> {});
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private void add(TrainingEvent event) {
        if (event instanceof Step step) {
            String measured = ","
                    + step.loss() + ',' + step.gradientNorm() + ',' + step.learningRate() + ','
                    + step.millis() + ',' + step.tokensPerSecond() + ',';
            line(event, measured);
        } else if (event instanceof Validated && validations.containsKey(event.step())) {
            line(event, ",,,,,,");
        }
    }

    private void line(TrainingEvent event, String measured) {
        Double validation = validations.remove(event.step());
        try {
            out.write((event.step() + "," + event.time() + measured + (validation == null ? "" : validation) + '\n')
                    .getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
