package pacer.workflows.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import pacer.activities.run.Home;
import pacer.activities.run.RunFolder;
import pacer.activities.run.RunIndex;
import pacer.trainer.checkpoint.Checkpoint;
import pacer.trainer.checkpoint.CheckpointStore;
import pacer.trainer.model.Engine;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecLoader;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Which trained model a command works with, and on what. */
final class ModelOptions {
    @Parameters(
            arity = "0..1",
            paramLabel = "RUN",
            defaultValue = "last",
            description = {
                "Id of a run, its beginning, last, or a folder: a run's, a checkpoint's,",
                "or one with GPT-2 in Hugging Face's files (default: last)."
            })
    private String name;

    @Option(
            names = "--checkpoint",
            paramLabel = "WHICH",
            defaultValue = "best",
            description = "best, last, or a step, of a run (default: best).")
    private String which;

    @Mixin
    private EngineOptions engine;

    @Mixin
    private PlaceOptions places;

    /**
     * A model's place.
     *
     * @param run the run it comes from; empty for a folder by itself
     */
    record Source(Path folder, Optional<RunIndex.Entry> run) {

        /** The run's spec; empty for a folder by itself. */
        Optional<RunSpec> spec() {
            return run.map(entry -> SpecLoader.read(entry.folder().preset()));
        }

        /** For people: run and checkpoint, or the folder. */
        String title() {
            return run.map(entry -> entry.record().id() + ", " + folder.getFileName())
                    .orElseGet(() -> Console.shown(folder));
        }
    }

    Source source(Console console) throws IOException {
        Path path = Path.of(name);
        if (Files.isDirectory(path)
                && (TrainedModel.isHuggingFace(path) || Files.isRegularFile(path.resolve(Checkpoint.WEIGHTS)))) {
            Path folder = path.toAbsolutePath().normalize();
            return new Source(folder, runAround(folder));
        }
        RunIndex.Entry entry = places.run(name, console.environment());
        return new Source(checkpoint(entry, console).folder(), Optional.of(entry));
    }

    /** The run whose folder a checkpoint lies in. */
    private static Optional<RunIndex.Entry> runAround(Path checkpoint) throws IOException {
        Path above = checkpoint.getParent() == null ? null : checkpoint.getParent().getParent();
        if (above == null || !new RunFolder(above).exists()) {
            return Optional.empty();
        }
        RunFolder folder = new RunFolder(above);
        return Optional.of(new RunIndex.Entry(folder, folder.read()));
    }

    private Checkpoint checkpoint(RunIndex.Entry entry, Console console) throws IOException {
        CheckpointStore store = new CheckpointStore(
                entry.folder().checkpoints(), notice -> console.err().println("pacer: " + Terminal.harmless(notice)));
        List<Checkpoint> there = store.list();
        Optional<Checkpoint> found =
                switch (which) {
                    case "last" -> store.newest();
                    case "best" -> store.best().or(() -> there.stream().reduce((a, b) -> b));
                    default -> there.stream()
                            .filter(c -> which.replaceFirst("^step-0*", "").equals(Integer.toString(c.state().step())))
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

    Home home(Console console) {
        return places.home(console.environment());
    }

    Engine engine(Console console) {
        return engine.engine(home(console).cache());
    }

    /** Opens the model at {@code source} for micro-batches of {@code sequences}. */
    TrainedModel open(Source source, int sequences, Console console) throws IOException {
        return TrainedModel.isHuggingFace(source.folder())
                ? TrainedModel.huggingFace(source.folder(), engine(console), sequences)
                : TrainedModel.checkpoint(source.folder(), engine(console), sequences);
    }
}
