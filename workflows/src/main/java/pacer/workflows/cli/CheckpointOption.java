package pacer.workflows.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import pacer.activities.publishing.report.Quantities;
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

        /** The checkpoint's step; empty for a folder in Hugging Face's files. */
        OptionalInt step() throws IOException {
            return Files.exists(folder.resolve("config.json"))
                    ? OptionalInt.empty()
                    : OptionalInt.of(Checkpoint.open(folder).state().step());
        }
    }

    /** What {@code name} means: a folder with a model, or a run with the checkpoint asked for. */
    Source source(String name, PlaceOptions places, Console console) throws IOException {
        Path path = Path.of(name);
        if (Files.isRegularFile(path.resolve("config.json")) || Files.isRegularFile(path.resolve(Checkpoint.WEIGHTS))) {
            Path folder = path.toAbsolutePath().normalize();
            return new Source(folder, runAround(folder));
        }
        if (Files.isDirectory(path) && path.getNameCount() > 1 && !new RunFolder(path).exists()) {
            throw new Mistake(
                    name + " is neither a run's folder nor a checkpoint's, nor one with a GPT-2 in Hugging Face's"
                            + " files: it has no run.json, no " + Checkpoint.WEIGHTS + " and no config.json");
        }
        RunIndex.Entry entry =
                name.equals("last") ? lastWithOne(places, console) : places.run(name, console.environment());
        Checkpoint taken = checkpoint(entry, console);
        if (name.equals("last")) {
            console.complain("taking run " + entry.record().id() + ", step "
                    + Quantities.grouped(taken.state().step()));
        }
        return new Source(taken.folder(), Optional.of(entry));
    }

    /** The newest run that has a checkpoint: one that has just begun, or failed at once, is not what is meant. */
    private static RunIndex.Entry lastWithOne(PlaceOptions places, Console console) throws IOException {
        RunIndex.Entry newest = places.run("last", console.environment());
        for (RunIndex.Entry entry :
                new RunIndex(places.home(console.environment()).runs()).list()) {
            if (!new CheckpointStore(entry.folder().checkpoints(), _ -> {})
                    .list()
                    .isEmpty()) {
                if (!entry.folder().equals(newest.folder())) {
                    console.complain(
                            "run " + newest.record().id() + " has no checkpoint; taking the newest that has one, "
                                    + entry.record().id());
                }
                return entry;
            }
        }
        return newest; // what is wrong with it is said as of any other
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
        Set<String> damage = new LinkedHashSet<>(); // the same is found again by whoever looks again
        CheckpointStore store = new CheckpointStore(entry.folder().checkpoints(), damage::add);
        List<Checkpoint> there = store.list();
        Optional<Checkpoint> found =
                switch (which) {
                    case "last" -> store.newest();
                    case "best" -> {
                        Optional<Checkpoint> best = store.best();
                        yield best.isPresent() ? best : store.newest();
                    }
                    default ->
                        there.stream()
                                .filter(c -> which.replaceFirst("^step-0*", "")
                                        .equals(Integer.toString(c.state().step())))
                                .findFirst();
                };
        damage.forEach(console::complain);
        if (!damage.isEmpty() && found.isPresent()) {
            console.complain("taking " + found.get().folder().getFileName());
        }
        return found.orElseThrow(() -> new Mistake(
                !damage.isEmpty()
                        ? "run " + entry.record().id() + " has no whole checkpoint '" + which + "'"
                        : there.isEmpty()
                                ? "run " + entry.record().id() + " has no checkpoint yet"
                                : "run " + entry.record().id() + " has no checkpoint '" + which
                                        + "'; there is best, last, "
                                        + there.stream()
                                                .map(c -> Integer.toString(
                                                        c.state().step()))
                                                .collect(Collectors.joining(", "))));
    }
}
