package pacer.activities.evaluation;

/** Asks for the evaluation of {@code checkpoint} (a folder relative to the run's) on the staged dataset {@code dataset}. */
public record EvaluationRequest(String run, String dataset, String checkpoint) {}
