package pacer.activities.training;

import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import pacer.activities.run.RunFolder;
import pacer.trainer.checkpoint.EventLog;
import pacer.trainer.event.TrainingEvent;

/** Works out the result of a finished training from its events, over all attempts. */
final class TrainingSummary {
    private int steps;
    private double loss = Double.NaN;
    private TrainingEvent.Validated lastValidation;
    private TrainingEvent.Validated bestValidation;
    private double seconds;
    private double tokens;
    private TrainingEvent.Checkpointed lastCheckpoint;
    private String bestCheckpoint;

    private TrainingSummary() {}

    static TrainingResult read(RunFolder folder) throws IOException {
        TrainingSummary summary = new TrainingSummary();
        List<TrainingEvent> events = EventLog.firstOccurrences(EventLog.read(folder.events(), damage -> {}));
        events.forEach(summary::take);
        if (summary.lastCheckpoint == null) {
            throw new IOException(folder.events() + ": the trainer finished but told of no checkpoint");
        }
        events.forEach(event -> summary.findBest(folder, event));
        return summary.result();
    }

    private void take(TrainingEvent event) {
        switch (event) {
            case TrainingEvent.Step step -> {
                steps = Math.max(steps, step.step());
                loss = step.loss();
                seconds += step.millis() / 1000;
                tokens += step.tokensPerSecond() * step.millis() / 1000;
            }
            case TrainingEvent.Validated validated -> {
                lastValidation = validated;
                if (bestValidation == null || validated.loss() < bestValidation.loss()) {
                    bestValidation = validated;
                }
            }
            case TrainingEvent.Checkpointed checkpoint -> {
                if (lastCheckpoint == null || checkpoint.step() >= lastCheckpoint.step()) {
                    lastCheckpoint = checkpoint;
                }
            }
            case TrainingEvent.Skipped skipped -> steps = Math.max(steps, skipped.step());
            case TrainingEvent.Started _,
                    TrainingEvent.Sampled _,
                    TrainingEvent.Notice _,
                    TrainingEvent.Finished _,
                    TrainingEvent.Failed _ -> {}
        }
    }

    private void findBest(RunFolder folder, TrainingEvent event) {
        if (event instanceof TrainingEvent.Checkpointed checkpoint
                && bestValidation != null
                && checkpoint.step() == bestValidation.step()
                && Files.isDirectory(folder.path().resolve(checkpoint.folder()))) {
            bestCheckpoint = checkpoint.folder();
        }
    }

    private TrainingResult result() {
        return new TrainingResult(
                steps,
                loss,
                lastValidation == null ? null : lastValidation.loss(),
                bestValidation == null ? null : bestValidation.loss(),
                seconds,
                seconds > 0 ? tokens / seconds : 0,
                lastCheckpoint.folder(),
                bestCheckpoint != null ? bestCheckpoint : lastCheckpoint.folder());
    }
}
