package pacer.activities.training;

/**
 * Hosts that train one run together.
 *
 * @param gathering tells apart the times that hosts were brought together for the run
 * @param hosts how many there are
 */
public record Ensemble(String gathering, int hosts) {}
