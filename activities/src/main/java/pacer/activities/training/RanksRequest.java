package pacer.activities.training;

/**
 * What the ranks of a host need that is not the run's own.
 *
 * @param run its id
 * @param dataset its hash
 * @param store place of the store that all hosts must have
 * @param firstRank of this host's, which follow one another
 * @param meeting where rank 0 is; null while only the dataset is asked for
 */
public record RanksRequest(String run, String dataset, String store, int firstRank, Meeting meeting) {}
