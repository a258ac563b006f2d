package pacer.activities.publishing.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import pacer.activities.run.RunJson;
import pacer.trainer.event.TrainingEvent;
import pacer.trainer.event.TrainingEvent.Checkpointed;
import pacer.trainer.event.TrainingEvent.Failed;
import pacer.trainer.event.TrainingEvent.Finished;
import pacer.trainer.event.TrainingEvent.Notice;
import pacer.trainer.event.TrainingEvent.Sampled;
import pacer.trainer.event.TrainingEvent.Skipped;
import pacer.trainer.event.TrainingEvent.Started;
import pacer.trainer.event.TrainingEvent.Step;
import pacer.trainer.event.TrainingEvent.Validated;

/**
 * What the trainer said of a run, sorted by kind. Of steps that were taken twice, because a run went on from a checkpoint
 * before them, the first telling counts.
 */
public final class RunHistory {
    private final List<Started> starts = new ArrayList<>();
    private final List<Step> steps = new ArrayList<>();
    private final List<Skipped> skipped = new ArrayList<>();
    private final List<Validated> validations = new ArrayList<>();
    private final List<Sampled> samples = new ArrayList<>();
    private final List<Checkpointed> checkpoints = new ArrayList<>();
    private final List<Notice> notices = new ArrayList<>();
    private final Set<Object> seen = new HashSet<>();
    private Finished finished;
    private Failed failed;

    private record Once(Class<?> kind, int step, String text) {}

    /**
     * Reads {@code events.jsonl}; empty where there is none yet. Lines that are torn (the writer was killed) or of a kind that
     * this version does not know are passed over.
     */
    public static RunHistory read(Path events) throws IOException {
        RunHistory history = new RunHistory();
        if (!Files.exists(events)) {
            return history;
        }
        try (BufferedReader lines = Files.newBufferedReader(events, StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (!line.isBlank()) {
                    parse(line).ifPresent(history::add);
                }
            }
        }
        return history;
    }

    private static Optional<TrainingEvent> parse(String line) {
        try {
            return Optional.of(RunJson.MAPPER.readValue(line, TrainingEvent.class));
        } catch (JsonProcessingException e) {
            return Optional.empty();
        }
    }

    /** Takes one more event. */
    public void add(TrainingEvent event) {
        switch (event) {
            case Started e -> starts.add(e);
            case Step e -> once(steps, e, null);
            case Skipped e -> once(skipped, e, null);
            case Validated e -> once(validations, e, null);
            case Sampled e -> once(samples, e, e.text());
            case Checkpointed e -> once(checkpoints, e, null);
            case Notice e -> once(notices, e, e.text());
            case Finished e -> finished = e;
            case Failed e -> failed = e;
        }
    }

    private <T extends TrainingEvent> void once(List<T> list, T event, String text) {
        if (seen.add(new Once(event.getClass(), event.step(), text))) {
            list.add(event);
        }
    }

    /** Each launch of the trainer, resumed ones included. */
    public List<Started> starts() {
        return starts;
    }

    public List<Step> steps() {
        return steps;
    }

    public List<Skipped> skipped() {
        return skipped;
    }

    public List<Validated> validations() {
        return validations;
    }

    public List<Sampled> samples() {
        return samples;
    }

    public List<Checkpointed> checkpoints() {
        return checkpoints;
    }

    public List<Notice> notices() {
        return notices;
    }

    public Optional<Finished> finished() {
        return Optional.ofNullable(finished);
    }

    public Optional<Failed> failed() {
        return Optional.ofNullable(failed);
    }

    /** The lowest validation loss. */
    public Optional<Validated> best() {
        return validations.stream()
                .filter(v -> Double.isFinite(v.loss()))
                .reduce((a, b) -> b.loss() < a.loss() ? b : a);
    }

    /** Training loss over steps. */
    public Series loss() {
        return Series.of(steps, Step::step, Step::loss).finite();
    }

    /** Validation loss over steps. */
    public Series validationLoss() {
        return Series.of(validations, Validated::step, Validated::loss).finite();
    }

    /** Tokens per second over all steps told of, by the time the steps themselves took; NaN before the second step. */
    public double tokensPerSecond() {
        double tokens = 0;
        double seconds = 0;
        for (Step step : steps.subList(Math.min(1, steps.size()), steps.size())) { // the first one pays for warming up
            tokens += step.tokensPerSecond() * step.millis() / 1000;
            seconds += step.millis() / 1000;
        }
        return seconds > 0 ? tokens / seconds : Double.NaN;
    }
}
