package pacer.activities.staging;

import pacer.activities.run.StageResult;

/**
 * Shards at hand, each verified by its digest.
 *
 * @param dataset hash of the dataset
 * @param files shards there are
 * @param bytes their size together
 * @param hits shards that were there already
 * @param fetched shards linked or copied
 * @param mended shards among those that were there but damaged
 */
public record StagingResult(String dataset, int files, long bytes, int hits, int fetched, int mended)
        implements StageResult {

    @Override
    public boolean reused() {
        return fetched == 0;
    }

    @Override
    public String summary() {
        return "%d shards, %.1f MB%s%s"
                .formatted(
                        files,
                        bytes / 1e6,
                        fetched == 0 ? ", there already" : "",
                        mended == 0 ? "" : ", " + mended + " damaged ones fetched again");
    }
}
