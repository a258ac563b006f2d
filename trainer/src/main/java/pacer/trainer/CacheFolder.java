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
        Path base = xdg.isBlank() ? Path.of(home(environment), ".cache") : Path.of(xdg);
        return base.resolve("pacer").toAbsolutePath();
    }

    /** The user's folder as shells know it: Java asks the system for it, whatever HOME says. */
    public static String home(Map<String, String> environment) {
        String home = environment.getOrDefault("HOME", "");
        return home.isBlank() ? System.getProperty("user.home") : home;
    }
}
