package pacer.activities.run;

import pacer.trainer.event.TrainingEvent;

/** What someone who follows a run is told, in order. */
public sealed interface RunUpdate {

    /** The run's folder is there (on the worker's machine); {@code record} says what of it was done before. */
    record Opened(RunRecord record) implements RunUpdate {}

    record StageStarted(Stage stage) implements RunUpdate {}

    /** Arrives often; enough to draw a progress bar. */
    record Advanced(Progress progress) implements RunUpdate {}

    /** Each of the trainer's events, where the run is worked on by this process. */
    record Trained(TrainingEvent event) implements RunUpdate {}

    /** Each of the evaluator's, likewise. */
    record Evaluated(TrainingEvent event) implements RunUpdate {}

    record StageEnded(StageRecord record) implements RunUpdate {}

    /**
     * It is over, or has been left for later: {@code record} says how.
     *
     * @param refused whether it failed because of what it was given, before any training
     */
    record Closed(RunRecord record, boolean refused) implements RunUpdate {}

    /** A trainer of which nothing was heard for too long was killed; another attempt may follow. */
    record Stalled(String text) implements RunUpdate {}

    /** The address of a page that shows the run, where another process works on it. */
    record Linked(String name, String address) implements RunUpdate {}

    /** Something a person should know: a damaged file fetched again, an attempt that failed and is tried again. */
    record Notice(Stage stage, String text) implements RunUpdate {}
}
