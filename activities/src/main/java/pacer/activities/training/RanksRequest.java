package pacer.activities.training;

/**
 * What the ranks of a host need that is not the run's own.
 *
 * @param run its id
 * @param dataset its hash
 * @param firstRank of this host's, which follow one another
 * @param meeting where rank 0 is; null while only the dataset is asked for
 */
public record RanksRequest(String run, String dataset, int firstRank, Meeting meeting) {}
