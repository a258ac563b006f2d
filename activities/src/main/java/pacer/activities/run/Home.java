package pacer.activities.run;

import java.nio.file.Path;
import java.util.Map;
import pacer.trainer.CacheFolder;

/**
 * Where a machine keeps things.
 *
 * @param runs folder of run folders
 * @param cache folder of datasets, downloads, weights and staged shards, shared by all runs
 */
public record Home(Path runs, Path cache) {

    public Home {
        runs = runs.toAbsolutePath().normalize();
        cache = cache.toAbsolutePath().normalize();
    }

    /**
     * The usual places: {@code runs} as given; {@code cache} as given, else where {@link CacheFolder} says.
     *
     * @param cache null where the user said nothing
     */
    public static Home of(Path runs, Path cache, Map<String, String> environment) {
        return new Home(runs, cache != null ? cache : CacheFolder.of(environment));
    }

    public Path datasets() {
        return cache.resolve("datasets");
    }

    public Path downloads() {
        return cache.resolve("downloads");
    }

    /** Folders of weights to begin with, by their digests. */
    public Path weights() {
        return cache.resolve("weights");
    }

    public Path staged() {
        return cache.resolve("staged");
    }

    /** The folder of the run {@code id}; it need not exist. */
    public RunFolder run(String id) {
        return new RunFolder(runs.resolve(RunId.check(id)));
    }
}
