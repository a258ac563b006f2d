package pacer.activities.training;

/**
 * Asks for the training of {@code run} on the staged dataset {@code dataset} (its hash).
 *
 * @param ensemble the hosts that train it together; null where this one does alone
 */
public record TrainingRequest(String run, String dataset, Ensemble ensemble) {
    public TrainingRequest(String run, String dataset) {
        this(run, dataset, null);
    }
}
