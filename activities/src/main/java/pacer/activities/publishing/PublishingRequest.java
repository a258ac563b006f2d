package pacer.activities.publishing;

/** Asks for the final records of {@code run}. */
public record PublishingRequest(String run) {}
