package pacer.activities.training;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import pacer.activities.run.RunJson;
import pacer.trainer.event.TrainingEvent;

/** The events of a run, over all attempts at it. */
public final class TrainingEvents {
    private TrainingEvents() {}

    private record Once(Class<?> kind, int step, String text) {}

    /**
     * Reads {@code events.jsonl} in order. Steps taken twice, because an attempt went on from a checkpoint before them, are
     * told once, as they were first. A torn last line is passed over.
     */
    public static void read(Path file, Consumer<TrainingEvent> consumer) throws IOException {
        if (!Files.exists(file)) {
            return;
        }
        Set<Once> seen = new LinkedHashSet<>();
        try (BufferedReader lines = Files.newBufferedReader(file)) {
            String line = lines.readLine();
            while (line != null) {
                Optional<TrainingEvent> event = parse(line);
                if (event.isPresent() && seen.add(once(event.get()))) {
                    consumer.accept(event.get());
                }
                line = lines.readLine();
            }
        }
    }

    private static Once once(TrainingEvent event) {
        String text = event instanceof TrainingEvent.Sampled sampled ? sampled.text()
                : event instanceof TrainingEvent.Notice notice ? notice.text() : "";
        return new Once(event.getClass(), event.step(), text);
    }

    private static Optional<TrainingEvent> parse(String line) {
        try {
            return Optional.of(RunJson.MAPPER.readValue(line, TrainingEvent.class));
        } catch (JsonProcessingException e) {
            return Optional.empty();
        }
    }
}
