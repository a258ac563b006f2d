package pacer.trainer;

import java.nio.file.Path;
import java.util.Map;

/** Where things are kept that can be made again: {@code PACER_CACHE}, else {@code $XDG_CACHE_HOME/pacer}, else {@code ~/.cache/pacer}. */
public final class CacheFolder {

    private CacheFolder() {}

    /** The cache for a process with this environment. */
    public static Path of(Map<String, String> environment) {
        String own = environment.getOrDefault("PACER_CACHE", "");
        if (!own.isBlank()) {
            return Path.of(own).toAbsolutePath();
        }
        String xdg = environment.getOrDefault("XDG_CACHE_HOME", "");
        Path base = xdg.isBlank() ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(xdg);
        return base.resolve("pacer").toAbsolutePath();
    }
}
