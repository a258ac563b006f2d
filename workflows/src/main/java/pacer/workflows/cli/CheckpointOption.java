package pacer.workflows.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunIndex;
import pacer.trainer.checkpoint.Checkpoint;
import pacer.trainer.checkpoint.CheckpointStore;
import picocli.CommandLine.Option;

/** Which checkpoint of a run. */
final class CheckpointOption {
    @Option(
            names = "--checkpoint",
            paramLabel = "WHICH",
            defaultValue = "best",
            description = "best, last, or a step (default: best).")
    private String which;

    /**
     * A model's place.
     *
     * @param run the run it comes from; empty for a folder by itself
     */
    record Source(Path folder, Optional<RunIndex.Entry> run) {

        /** For people: run and checkpoint, or the folder. */
        String title() {
            return run.map(entry -> entry.record().id() + ", " + folder.getFileName())
                    .orElseGet(() -> Console.shown(folder));
        }
    }

    /** What {@code name} means: a folder with a model, or a run with the checkpoint asked for. */
    Source source(String name, PlaceOptions places, Console console) throws IOException {
        Path path = Path.of(name);
        if (Files.isRegularFile(path.resolve("config.json")) || Files.isRegularFile(path.resolve(Checkpoint.WEIGHTS))) {
            Path folder = path.toAbsolutePath().normalize();
            return new Source(folder, runAround(folder));
        }
        RunIndex.Entry entry = places.run(name, console.environment());
        return new Source(checkpoint(entry, console).folder(), Optional.of(entry));
    }

    /** The run whose folder a checkpoint lies in. */
    private static Optional<RunIndex.Entry> runAround(Path checkpoint) throws IOException {
        Path checkpoints = checkpoint.getParent();
        if (checkpoints == null || checkpoints.getParent() == null) {
            return Optional.empty();
        }
        RunFolder folder = new RunFolder(checkpoints.getParent());
        return folder.exists() ? Optional.of(new RunIndex.Entry(folder, folder.read())) : Optional.empty();
    }

    private Checkpoint checkpoint(RunIndex.Entry entry, Console console) throws IOException {
        CheckpointStore store = new CheckpointStore(
                entry.folder().checkpoints(), notice -> console.err().println("pacer: " + Terminal.harmless(notice)));
        List<Checkpoint> there = store.list();
        Optional<Checkpoint> found =
                switch (which) {
                    case "last" -> store.newest();
                    case "best" -> store.best().or(() -> there.stream().reduce((a, b) -> b));
                    default ->
                        there.stream()
                                .filter(c -> which.replaceFirst("^step-0*", "")
                                        .equals(Integer.toString(c.state().step())))
                                .findFirst();
                };
        return found.orElseThrow(() -> new Mistake(
                there.isEmpty()
                        ? "run " + entry.record().id() + " has no checkpoint yet"
                        : "run " + entry.record().id() + " has no checkpoint '" + which + "'; there is best, last, "
                                + there.stream()
                                        .map(c -> Integer.toString(c.state().step()))
                                        .collect(Collectors.joining(", "))));
    }
}
