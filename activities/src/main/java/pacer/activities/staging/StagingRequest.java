package pacer.activities.staging;

/** Asks for the dataset {@code dataset} (its hash) on the disk of the host that trains {@code run}. */
public record StagingRequest(String run, String dataset) {}
