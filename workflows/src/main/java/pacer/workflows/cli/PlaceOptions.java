package pacer.workflows.cli;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import pacer.activities.run.Home;
import pacer.activities.run.RunFolder;
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

    /** The same, for a command that makes runs: both folders are there and can be written, or it is said what to do. */
    Home writable(Map<String, String> environment) {
        Home home = home(environment);
        makeUsable(home.runs(), "runs", "--runs DIR or PACER_RUNS");
        makeUsable(home.cache(), "datasets and downloads", "--cache DIR or PACER_CACHE");
        return home;
    }

    private static void makeUsable(Path folder, String what, String options) {
        String fault;
        try {
            Files.createDirectories(folder);
            fault = Files.isWritable(folder) ? null : "cannot be written";
        } catch (FileAlreadyExistsException e) {
            fault = Files.isDirectory(folder) ? null : "is not a folder";
        } catch (IOException e) {
            fault = "cannot be made (" + Pacer.reason(e) + ")";
        }
        if (fault != null) {
            throw new Mistake("the folder of %s, %s, %s; name another with %s"
                    .formatted(what, Console.shown(folder), fault, options));
        }
    }

    /**
     * The folder of runs, for a command that reads them.
     *
     * @throws Mistake when the user named one that is not there
     */
    Path existing(Map<String, String> environment) {
        Path folder = home(environment).runs();
        if (runs != null && !Files.isDirectory(folder)) {
            throw new Mistake("--runs " + runs + ": "
                    + (Files.exists(folder) ? "not a folder" : "no such folder")
                    + "; give the folder that holds the runs' folders");
        }
        return folder;
    }

    /** The run that the user means by {@code name}. */
    RunIndex.Entry run(String name, Map<String, String> environment) {
        Path path = Path.of(name);
        boolean folder = path.getNameCount() > 1 || path.isAbsolute();
        if (folder && !new RunFolder(path).exists()) {
            throw new Mistake(
                    name + (Files.exists(path) ? ": not a run's folder, it has no run.json" : ": no such folder"));
        }
        if (!folder) {
            existing(environment);
        }
        try {
            return new RunIndex(home(environment).runs()).find(name);
        } catch (IOException e) {
            throw new Mistake(e.getMessage(), e);
        }
    }

    /** Where they lie if no option says otherwise. */
    static Path standardRuns(Map<String, String> environment) {
        String own = environment.getOrDefault("PACER_RUNS", "");
        return own.isBlank() ? Path.of(environment.getOrDefault("PACER_HOME", ""), "runs") : Path.of(own);
    }
}
