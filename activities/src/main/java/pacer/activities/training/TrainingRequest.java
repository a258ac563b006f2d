package pacer.activities.training;

/** Asks for the training of {@code run} on the staged dataset {@code dataset} (its hash). */
public record TrainingRequest(String run, String dataset) {}
