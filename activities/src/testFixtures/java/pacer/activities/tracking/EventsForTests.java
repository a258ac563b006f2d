package pacer.activities.tracking;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import pacer.activities.run.RunFolder;
import pacer.trainer.checkpoint.EventLog;
import pacer.trainer.event.TrainingEvent;

/** Writes the events of a training that did not take place, and tells which points they come to. */
public final class EventsForTests {
    private static final Instant BEGUN = Instant.parse("2026-11-23T08:00:00.123Z");

    private final RunFolder folder;
    private long told;

    public EventsForTests(RunFolder folder) {
        this.folder = folder;
    }

    /** Steps {@code from} to {@code to}, a validation every tenth: as a launch tells them that took up the step before. */
    public void launch(int from, int to) throws IOException {
        List<TrainingEvent> events = new ArrayList<>();
        events.add(new TrainingEvent.Started(time(), from - 1, to, 1000, 64, 1, "cpu", 1, null));
        for (int step = from; step <= to; step++) {
            // NaN, too, is a value
            double loss = step == 7 ? Double.NaN : 4.0 / step;
            events.add(new TrainingEvent.Step(time(), step, loss, 1.0 / step, 1e-3, 11.5, 5000 + step));
            if (step % 10 == 0) {
                events.add(new TrainingEvent.Validated(time(), step, 4.1 / step, 64, true));
            }
        }
        append(events);
    }

    /** No two events are of one moment. */
    private Instant time() {
        return BEGUN.plusMillis(told++ * 12);
    }

    private void append(List<TrainingEvent> events) throws IOException {
        StringBuilder lines = new StringBuilder();
        events.forEach(event -> lines.append(EventLog.line(event)).append('\n'));
        write(lines.toString());
    }

    /** Appends whatever. */
    public void write(String text) throws IOException {
        Files.write(
                folder.events(),
                text.getBytes(StandardCharsets.UTF_8),
                StandardOpenOption.CREATE,
                StandardOpenOption.APPEND);
    }

    /** Cuts the file off at {@code bytes}, as the next writer does with an unfinished line. */
    public void cut(long bytes) throws IOException {
        try (var channel = java.nio.channels.FileChannel.open(folder.events(), StandardOpenOption.WRITE)) {
            channel.truncate(bytes);
        }
    }

    /** What MLflow must have of {@code train/loss}, as {@link MlflowForTests#points} tells it. */
    public List<String> losses() throws IOException {
        return EventLog.firstOccurrences(EventLog.read(folder.events(), _ -> {})).stream()
                .filter(TrainingEvent.Step.class::isInstance)
                .map(TrainingEvent.Step.class::cast)
                .map(step -> point(step, step.loss()))
                .toList();
    }

    /** The same of {@code validation/loss}. */
    public List<String> validations() throws IOException {
        return EventLog.firstOccurrences(EventLog.read(folder.events(), _ -> {})).stream()
                .filter(TrainingEvent.Validated.class::isInstance)
                .map(TrainingEvent.Validated.class::cast)
                .map(validated -> point(validated, validated.loss()))
                .toList();
    }

    private static String point(TrainingEvent event, double value) {
        return event.step() + "@" + event.time().toEpochMilli() + "=" + value;
    }
}
