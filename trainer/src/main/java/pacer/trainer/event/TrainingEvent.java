package pacer.trainer.event;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.time.Instant;

/**
 * What a trainer says while it works: one JSON object a line on standard output. Progress bar, heartbeat, metrics, tracking
 * and report all hang on this stream and on nothing else. {@code time} is when it happened; it is stored and sent on
 * unchanged, so that a point logged twice is the same point.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "event")
@JsonSubTypes({
    @JsonSubTypes.Type(value = TrainingEvent.Started.class, name = "started"),
    @JsonSubTypes.Type(value = TrainingEvent.Step.class, name = "step"),
    @JsonSubTypes.Type(value = TrainingEvent.Skipped.class, name = "skipped"),
    @JsonSubTypes.Type(value = TrainingEvent.Validated.class, name = "validated"),
    @JsonSubTypes.Type(value = TrainingEvent.HellaSwag.class, name = "hellaswag"),
    @JsonSubTypes.Type(value = TrainingEvent.Sampled.class, name = "sampled"),
    @JsonSubTypes.Type(value = TrainingEvent.Checkpointed.class, name = "checkpointed"),
    @JsonSubTypes.Type(value = TrainingEvent.Notice.class, name = "notice"),
    @JsonSubTypes.Type(value = TrainingEvent.Working.class, name = "working"),
    @JsonSubTypes.Type(value = TrainingEvent.Finished.class, name = "finished"),
    @JsonSubTypes.Type(value = TrainingEvent.Failed.class, name = "failed"),
})
public sealed interface TrainingEvent {

    Instant time();

    /** Optimizer steps completed when it happened. */
    int step();

    /** Planned and about to take the first step (or the first after a resume). */
    record Started(
            Instant time,
            int step,
            int totalSteps,
            long parameters,
            int batchTokens,
            int ranks,
            String device,
            long plannedBytes,
            String resumedFrom)
            implements TrainingEvent {

        /** What computes, for people: the device of each process, and how many there are where it is more than one. */
        public String place() {
            return ranks > 1 ? ranks + " processes, each: " + device : device;
        }
    }

    /**
     * One optimizer step done. {@code loss} is the mean cross-entropy in nats a token of the batch before the update,
     * {@code gradientNorm} is before clipping, {@code millis} the wall time of the step.
     */
    record Step(
            Instant time,
            int step,
            double loss,
            double gradientNorm,
            double learningRate,
            double millis,
            double tokensPerSecond)
            implements TrainingEvent {}

    /** A step whose update was not applied. */
    record Skipped(Instant time, int step, double loss, double gradientNorm, String reason) implements TrainingEvent {}

    /** A measurement of validation loss. */
    record Validated(Instant time, int step, double loss, long tokens, boolean best) implements TrainingEvent {}

    /**
     * A measurement of HellaSwag: {@code right} of the first {@code examples} endings were chosen, each by the least mean loss a token. Guessing
     * gets a quarter.
     */
    record HellaSwag(Instant time, int step, double accuracy, int right, int examples) implements TrainingEvent {
        /** Of so many right ones. */
        public static HellaSwag of(Instant time, int step, int right, int examples) {
            return new HellaSwag(time, step, (double) right / examples, right, examples);
        }
    }

    /** Text written by the model. */
    record Sampled(Instant time, int step, String prompt, String text) implements TrainingEvent {}

    /** A checkpoint is complete under {@code folder}, relative to the run's folder. */
    record Checkpointed(Instant time, int step, String folder, long bytes, double millis) implements TrainingEvent {}

    /** Something a person should know: a slower path taken and why, the initial loss against ln(vocabulary). */
    record Notice(Instant time, int step, String text) implements TrainingEvent {}

    /**
     * A sign of life where nothing else was told for a while: a piece of something long is done. {@code done} of {@code total} are
     * micro-steps, validation windows, examples, tokens or bytes. It passes by: it is told, and kept nowhere.
     */
    record Working(Instant time, int step, Phase phase, long done, long total) implements TrainingEvent {

        /** What can take long. */
        public enum Phase {
            MICRO_STEPS,
            VALIDATION,
            HELLASWAG,
            SAMPLING,
            CHECKPOINT
        }

        /** What is done at the moment and how far it is, in a few words for people. */
        public String inWords() {
            return switch (phase) {
                case MICRO_STEPS -> "step %d: micro-step %d of %d".formatted(step + 1, done, total);
                case VALIDATION -> "validating " + percent();
                case HELLASWAG -> "HellaSwag " + percent();
                case SAMPLING -> "sampling " + percent();
                case CHECKPOINT -> "writing a checkpoint, " + percent();
            };
        }

        private String percent() {
            return 100 * done / Math.max(1, total) + "%";
        }
    }

    /** Done: all steps taken, last checkpoint written. */
    record Finished(Instant time, int step, double loss, double validationLoss, double seconds, double tokensPerSecond)
            implements TrainingEvent {}

    /** Over before it was done; {@code retryable} says whether trying again could help. */
    record Failed(Instant time, int step, String reason, boolean retryable) implements TrainingEvent {}
}
