package pacer.activities.publishing.report;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import pacer.trainer.checkpoint.EventLog;
import pacer.trainer.event.TrainingEvent;
import pacer.trainer.event.TrainingEvent.Checkpointed;
import pacer.trainer.event.TrainingEvent.Failed;
import pacer.trainer.event.TrainingEvent.Finished;
import pacer.trainer.event.TrainingEvent.HellaSwag;
import pacer.trainer.event.TrainingEvent.Notice;
import pacer.trainer.event.TrainingEvent.Sampled;
import pacer.trainer.event.TrainingEvent.Skipped;
import pacer.trainer.event.TrainingEvent.Started;
import pacer.trainer.event.TrainingEvent.Step;
import pacer.trainer.event.TrainingEvent.Validated;
import pacer.trainer.event.TrainingEvent.Working;

/** What the trainer said of a run over all attempts, sorted by kind. It takes the same memory for a million steps and for a thousand million. */
public final class RunHistory {
    /** Steps that are kept at most, evenly: more than any picture shows. */
    private static final int STEPS = 100_000;

    /** Of a file's end: hundreds of events. */
    private static final int END = 1 << 18;

    private final List<Started> starts = new ArrayList<>();
    private final List<Step> steps = new ArrayList<>();
    private int stride = 1;
    private long count;
    private Step last;
    private double seconds;
    private double tokens;
    private double firstSeconds;
    private double firstTokens;
    private final List<Skipped> skipped = new ArrayList<>();
    private final List<Validated> validations = new ArrayList<>();
    private final List<HellaSwag> hellaSwags = new ArrayList<>();
    private final List<Sampled> samples = new ArrayList<>();
    private final List<Checkpointed> checkpoints = new ArrayList<>();
    private final List<Notice> notices = new ArrayList<>();
    private Finished finished;
    private final List<Failed> failures = new ArrayList<>();
    private Failed failed; // by the last launch

    /** Reads {@code events.jsonl}; empty where there is none yet. A line that is no event is passed over. */
    public static RunHistory read(Path events) throws IOException {
        return read(events, damage -> {});
    }

    /** The same; {@code damage} is told of lines that are no events. */
    public static RunHistory read(Path events, Consumer<String> damage) throws IOException {
        RunHistory history = new RunHistory();
        EventLog.readCounted(events, history::add, damage);
        return history;
    }

    /** What was said last: enough to know how far a run is and why it stopped, however long it is. */
    public static RunHistory readEnd(Path events) throws IOException {
        RunHistory history = new RunHistory();
        EventLog.readEnd(events, END, history::add);
        return history;
    }

    private void add(Step step) {
        double time = step.millis() / 1000;
        if (count == 0) {
            firstSeconds = time;
            firstTokens = step.tokensPerSecond() * time;
        }
        seconds += time;
        tokens += step.tokensPerSecond() * time;
        last = step;
        if (count++ % stride != 0) {
            return;
        }
        steps.add(step);
        if (steps.size() > STEPS) {
            for (int i = 0; 2 * i < steps.size(); i++) {
                steps.set(i, steps.get(2 * i));
            }
            steps.subList((steps.size() + 1) / 2, steps.size()).clear();
            stride *= 2;
        }
    }

    private void add(TrainingEvent event) {
        switch (event) {
            case Started e -> {
                starts.add(e);
                failed = null;
            }
            case Step e -> add(e);
            case Skipped e -> skipped.add(e);
            case Validated e -> validations.add(e);
            case HellaSwag e -> hellaSwags.add(e);
            case Sampled e -> samples.add(e);
            case Checkpointed e -> checkpoints.add(e);
            case Notice e -> notices.add(e);
            case Working _ -> {} // it passes by, and is in no file
            case Finished e -> finished = e;
            case Failed e -> {
                failures.add(e);
                failed = e;
            }
        }
    }

    /** Each launch of the trainer, resumed ones included. */
    public List<Started> starts() {
        return starts;
    }

    /** Those of them that led to the newest weights: from which no later one took up an earlier step. */
    public List<Started> line() {
        List<Started> line = new ArrayList<>();
        for (Started start : starts) {
            line.removeIf(earlier -> earlier.step() >= start.step());
            line.add(start);
        }
        return line;
    }

    /** The steps, of very many only some, evenly; the last one is always among them. */
    public List<Step> steps() {
        if (steps.isEmpty() || steps.getLast().equals(last)) {
            return steps;
        }
        List<Step> all = new ArrayList<>(steps);
        all.add(last);
        return all;
    }

    /** Seconds that all steps took. */
    public double stepSeconds() {
        return seconds;
    }

    /** Tokens of all steps. */
    public double stepTokens() {
        return tokens;
    }

    public List<Skipped> skipped() {
        return skipped;
    }

    public List<Validated> validations() {
        return validations;
    }

    /** Measurements of HellaSwag during training. */
    public List<HellaSwag> hellaSwags() {
        return hellaSwags;
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

    /** Why launches of the trainer failed, also where a later one went on. */
    public List<Failed> failures() {
        return failures;
    }

    /** Why the last launch failed, if it did. */
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

    /** Tokens per second over all steps told of but the first, which pays for warming up, by the time the steps themselves took; NaN before the second step. */
    public double tokensPerSecond() {
        return count > 1 && seconds > firstSeconds ? (tokens - firstTokens) / (seconds - firstSeconds) : Double.NaN;
    }
}
