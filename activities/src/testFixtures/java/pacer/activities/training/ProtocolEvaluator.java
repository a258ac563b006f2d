package pacer.activities.training;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import pacer.trainer.checkpoint.EventLog;
import pacer.trainer.event.TrainingEvent;

/** An evaluator as far as its process goes; {@code refuse} and {@code crash} as system properties make it fail. */
public final class ProtocolEvaluator {
    private ProtocolEvaluator() {}

    public static void main(String[] arguments) throws IOException {
        Path checkpoint = Path.of(List.of(arguments).get(List.of(arguments).indexOf("--checkpoint") + 1));
        if (Boolean.getBoolean("refuse") || !Files.exists(checkpoint.resolve("manifest.json"))) {
            System.err.println(checkpoint + " is no checkpoint");
            System.exit(2);
        }
        System.out.println("a library prints something");
        int step = Integer.parseInt(checkpoint.getFileName().toString().substring("step-".length()));
        System.out.println(
                EventLog.line(new TrainingEvent.Validated(Instant.now(), step, 4.0 / step + 1.1, 100, true)));
        if (Boolean.getBoolean("crash")) {
            Runtime.getRuntime().halt(134);
        }
        for (int i = 1; i <= 2; i++) {
            System.out.println(EventLog.line(new TrainingEvent.Sampled(Instant.now(), step, "\n", "sample " + i)));
        }
    }
}
