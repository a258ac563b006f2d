package pacer.workflows.cli;

import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import pacer.trainer.spec.Presets;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecException;
import pacer.trainer.spec.SpecLoader;
import pacer.workflows.SpecLayers;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The layers of a spec. */
final class SpecOptions {
    @Parameters(
            arity = "0..1",
            paramLabel = "PRESET",
            defaultValue = "quickstart",
            completionCandidates = Completions.OfPresets.class,
            description = "A preset's name or a YAML file (default: quickstart).")
    private String preset;

    @Option(names = "--config", paramLabel = "FILE", description = "YAML settings over the preset's; can be repeated.")
    private List<Path> configs = new ArrayList<>();

    @Option(
            names = "--set",
            paramLabel = "NAME=VALUE",
            completionCandidates = Completions.OfSettings.class,
            description = "One setting over the others, such as train.steps=500; can be repeated.")
    private List<String> sets = new ArrayList<>();

    String preset() {
        return preset;
    }

    List<Path> configs() {
        return configs;
    }

    List<String> sets() {
        return sets;
    }

    /** As they were given, for a command to go on with. */
    List<String> words() {
        List<String> words = new ArrayList<>(List.of(preset));
        configs.forEach(config -> words.addAll(List.of("--config", config.toString())));
        sets.forEach(set -> words.addAll(List.of("--set", set)));
        return words;
    }

    /** @throws pacer.trainer.spec.SpecException with every fault of every layer */
    RunSpec load() {
        return orHint(() -> SpecLoader.load(preset, configs, sets));
    }

    /**
     * What a run is started with.
     *
     * @throws pacer.trainer.spec.SpecException with every fault of every layer
     */
    SpecLayers layers() throws IOException {
        load();
        return SpecLayers.load(preset, configs, sets);
    }

    /** A file with some of the settings lacks the others; what it is good for is said after what is wrong with it. */
    private RunSpec orHint(Supplier<RunSpec> loading) {
        try {
            return loading.get();
        } catch (SpecException e) {
            if (Presets.NAMES.contains(preset) || !isPartial()) {
                throw e;
            }
            throw new Mistake(
                    e.getMessage() + "\nIt has some of the settings: to put them over a preset's, give --config "
                            + Hints.quoted(preset),
                    e);
        }
    }

    private boolean isPartial() {
        try {
            List<Path> over = new ArrayList<>(List.of(Path.of(preset)));
            over.addAll(configs);
            SpecLoader.load(Presets.NAMES.getFirst(), over, sets);
            return true;
        } catch (SpecException | InvalidPathException e) {
            return false;
        }
    }
}
