package pacer.activities.staging;

import java.nio.file.Path;
import pacer.activities.run.StageResult;

/**
 * Shards at hand, each verified by its digest.
 *
 * @param dataset hash of the dataset
 * @param files shards there are
 * @param bytes their size together
 * @param hits shards that were there already
 * @param fetched shards that were not
 * @param mended shards among those that were there but damaged
 * @param fromStore shards among those fetched that came from the store, the others from the dataset's folder on this machine
 * @param weights folder of the weights that training begins with; null where they are drawn
 * @param hellaSwag file of HellaSwag's examples; null where it is not measured
 */
public record StagingResult(
        String dataset,
        int files,
        long bytes,
        int hits,
        int fetched,
        int mended,
        int fromStore,
        String weights,
        String hellaSwag)
        implements StageResult {

    /** A dataset alone. */
    public StagingResult(String dataset, int files, long bytes, int hits, int fetched, int mended, int fromStore) {
        this(dataset, files, bytes, hits, fetched, mended, fromStore, null, null);
    }

    StagingResult withWeights(Path folder) {
        return new StagingResult(dataset, files, bytes, hits, fetched, mended, fromStore, folder.toString(), hellaSwag);
    }

    StagingResult withHellaSwag(Path file) {
        return new StagingResult(dataset, files, bytes, hits, fetched, mended, fromStore, weights, file.toString());
    }

    @Override
    public boolean reused() {
        return fetched == 0;
    }

    @Override
    public String summary() {
        return "%d shards, %.1f MB%s%s%s"
                .formatted(
                        files,
                        bytes / 1e6,
                        fetched == 0 ? ", there already" : "",
                        fromStore == 0 ? "" : ", " + fromStore + " from the store",
                        mended == 0 ? "" : ", " + mended + " damaged ones fetched again");
    }
}
