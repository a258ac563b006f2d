package pacer.activities.training;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import pacer.activities.process.Child;
import pacer.activities.run.BadInputException;
import pacer.activities.run.Reasons;
import pacer.activities.run.StageFailure;
import pacer.trainer.Trainer;
import pacer.trainer.event.TrainingEvent;

/** Asks trainings that are at work in this process for a checkpoint. */
final class CheckpointRequests {
    private final ConcurrentHashMap<String, AtWork> trainings = new ConcurrentHashMap<>();

    private record AtWork(Child trainer, CompletableFuture<String> next) {}

    /** From now on the training of {@code run} can be asked; rank 0 passes it on. */
    void begin(String run, Child trainer) {
        trainings.put(run, new AtWork(trainer, new CompletableFuture<>()));
    }

    /** Hears the training's events. */
    void hear(String run, TrainingEvent event) {
        AtWork training = trainings.get(run);
        if (training != null && event instanceof TrainingEvent.Checkpointed written) {
            trainings.replace(run, training, new AtWork(training.trainer(), new CompletableFuture<>()));
            training.next().complete(written.folder());
        }
    }

    /** The training of {@code run} has ended, one way or another. */
    void end(String run) {
        AtWork training = trainings.remove(run);
        if (training != null) {
            training.next().completeExceptionally(new StageFailure("training ended before it wrote one", false));
        }
    }

    /**
     * Asks for a checkpoint and waits until it is written.
     *
     * @return its path in the run's folder
     * @throws BadInputException when no training of the run is at work here
     * @throws StageFailure when the training ended instead
     */
    String ask(String run) throws InterruptedException {
        AtWork training = trainings.get(run);
        if (training == null) {
            throw new BadInputException("run " + run + ": no training of it is at work on this host");
        }
        try {
            training.trainer().tell(Trainer.CHECKPOINT);
            return training.next().get();
        } catch (IOException e) {
            throw new StageFailure("the trainer could not be asked: " + Reasons.of(e), false);
        } catch (ExecutionException e) {
            throw new StageFailure(e.getCause().getMessage(), false);
        }
    }
}
