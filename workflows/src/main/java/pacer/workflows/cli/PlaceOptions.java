package pacer.workflows.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import pacer.activities.run.Home;
import pacer.activities.run.RunIndex;
import picocli.CommandLine.Option;

/** Where runs and caches lie. */
final class PlaceOptions {
    @Option(
            names = "--runs",
            paramLabel = "DIR",
            description = "Folder of runs (default: PACER_RUNS, else runs beside the launcher).")
    private Path runs;

    @Option(
            names = "--cache",
            paramLabel = "DIR",
            description = "Folder of datasets and downloads (default: PACER_CACHE, else ~/.cache/pacer).")
    private Path cache;

    Home home(Map<String, String> environment) {
        return Home.of(runs != null ? runs : standardRuns(environment), cache, environment);
    }

    /** As they were given, for a command to go on with. */
    List<String> words() {
        List<String> words = new ArrayList<>();
        if (runs != null) {
            words.addAll(List.of("--runs", runs.toString()));
        }
        if (cache != null) {
            words.addAll(List.of("--cache", cache.toString()));
        }
        return words;
    }

    /** The run that the user means by {@code name}. */
    RunIndex.Entry run(String name, Map<String, String> environment) {
        try {
            return new RunIndex(home(environment).runs()).find(name);
        } catch (IOException e) {
            throw new Mistake(e.getMessage(), e);
        }
    }

    private static Path standardRuns(Map<String, String> environment) {
        String own = environment.getOrDefault("PACER_RUNS", "");
        return own.isBlank() ? Path.of(environment.getOrDefault("PACER_HOME", ""), "runs") : Path.of(own);
    }
}
