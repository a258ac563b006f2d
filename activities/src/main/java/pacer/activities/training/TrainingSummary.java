package pacer.activities.training;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import pacer.activities.publishing.report.RunHistory;
import pacer.activities.run.RunFolder;
import pacer.trainer.checkpoint.Checkpoint;
import pacer.trainer.checkpoint.CheckpointStore;
import pacer.trainer.event.TrainingEvent;

/** Works out the result of a finished training from its events, over all attempts, and its checkpoints. */
final class TrainingSummary {
    private TrainingSummary() {}

    static TrainingResult read(RunFolder folder) throws IOException {
        CheckpointStore store = new CheckpointStore(folder.checkpoints(), notice -> {});
        Checkpoint last = store.newest()
                .orElseThrow(
                        () -> new IOException(folder.checkpoints() + ": the trainer finished but left no checkpoint"));
        Optional<Checkpoint> best = store.best();
        RunHistory history = RunHistory.read(folder.events());
        List<TrainingEvent.Step> steps = history.steps();
        List<Double> validations = history.validations().stream()
                .map(TrainingEvent.Validated::loss)
                .toList();
        double seconds = history.stepSeconds();
        return new TrainingResult(
                last.state().step(),
                steps.isEmpty() ? Double.NaN : steps.getLast().loss(),
                validations.isEmpty() ? null : validations.getLast(),
                validations.stream().min(Double::compare).orElse(null),
                seconds,
                seconds > 0 ? history.stepTokens() / seconds : 0,
                relative(folder, last),
                relative(folder, best.orElse(last)));
    }

    private static String relative(RunFolder folder, Checkpoint checkpoint) {
        return folder.path().relativize(checkpoint.folder()).toString();
    }
}
