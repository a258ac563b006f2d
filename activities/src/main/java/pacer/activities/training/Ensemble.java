package pacer.activities.training;

import java.time.Instant;

/**
 * Hosts that train one run together.
 *
 * @param gathering tells apart the times that hosts were brought together for the run
 * @param hosts how many there are
 * @param begun when hosts were brought together first, by which the workflow is told of progress ever more seldom; null, as of workflows of old, for now
 */
public record Ensemble(String gathering, int hosts, Instant begun) {}
