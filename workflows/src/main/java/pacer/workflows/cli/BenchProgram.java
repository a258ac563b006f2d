package pacer.workflows.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import pacer.activities.process.JavaCommand;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunJson;
import pacer.activities.run.RunRecord;
import pacer.activities.run.RunStatus;

/**
 * pacer as a user starts it: the launcher, or where there is none this process's Java and classes.
 *
 * @param command without arguments
 */
record BenchProgram(List<String> command) {
    /** This process runs from a finished build: none must begin in what is timed; and no service takes part in it. */
    private static Map<String, String> environment(Path cache) {
        return Map.of(
                "PACER_NO_BUILD",
                "1",
                "PACER_STACK",
                cache.resolve("no-stack").toString(),
                "MLFLOW_TRACKING_URI",
                "",
                "PACER_STORE",
                "");
    }

    static BenchProgram ofThisProcess(Map<String, String> environment) {
        String home = environment.getOrDefault("PACER_HOME", "");
        Path launcher = Path.of(home, "pacer");
        return new BenchProgram(
                !home.isEmpty() && Files.isExecutable(launcher)
                        ? List.of(launcher.toString())
                        : JavaCommand.ofThisProcess(environment).line(Pacer.class.getName(), List.of()));
    }

    /** A finished {@code pacer run} and its folder. */
    record Done(BenchChild child, RunFolder folder, RunRecord record) {}

    /**
     * Runs a preset from nothing to the end.
     *
     * @param layers preset, {@code --config} and {@code --set} as given on the command line
     */
    Done run(List<String> layers, Path runs, Path cache, Path log, BenchChild.Watch watch)
            throws IOException, InterruptedException {
        List<String> line = new ArrayList<>(command);
        line.add("run");
        line.addAll(layers);
        line.addAll(List.of(
                "--new",
                "-o",
                "json",
                "--temporal",
                "embedded",
                "--runs",
                runs.toString(),
                "--cache",
                cache.toString()));
        BenchChild child = BenchChild.run(line, environment(cache), log, watch);
        if (child.code() != Exit.OK && child.code() != Exit.MISSED) {
            child.well("pacer run");
        }
        var told = RunJson.MAPPER.readTree(String.join("\n", child.lines()));
        RunFolder folder = new RunFolder(Path.of(told.path("folder").asText()));
        RunRecord record = folder.read();
        if (record.status() != RunStatus.FINISHED) {
            throw new IOException("pacer run did not finish: " + record.failure());
        }
        return new Done(child, folder, record);
    }
}
