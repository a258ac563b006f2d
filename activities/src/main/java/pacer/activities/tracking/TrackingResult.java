package pacer.activities.tracking;

/**
 * A run in MLflow.
 *
 * @param mlflowRun its id there
 * @param url of its page
 * @param points metric points sent by this call, those included that MLflow had
 * @param model name and version of its registered model, {@code quickstart/3}; null where there is none
 */
public record TrackingResult(String run, String mlflowRun, String url, long points, String model) {}
