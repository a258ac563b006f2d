package pacer.activities.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import pacer.trainer.spec.Processor;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecException;
import pacer.trainer.spec.SpecLoader;
import pacer.trainer.spec.SpecLoader.Given;
import pacer.trainer.spec.SpecResolver;

/** Makes the spec that a {@link RunRequest} asks for. */
public final class SpecRequest {
    private SpecRequest() {}

    /**
     * The spec for this machine, with everything filled in that needs no dataset.
     *
     * @throws BadInputException with all faults
     */
    public static RunSpec resolve(RunRequest request) throws IOException {
        if (!request.namesSpec()) {
            throw new BadInputException("preset: missing; give a preset's name, {\"preset\": \"quickstart\"}");
        }
        if (request.preset() != null && !request.preset().matches("[A-Za-z0-9-]+")) {
            // a path would be one of the worker's machine, for whoever may start workflows
            throw new BadInputException("preset: '" + request.preset()
                    + "' is no preset's name; give one, or the text of a whole spec as the first of config");
        }
        List<Given> sets = sets(request);
        Path folder = Files.createTempDirectory("pacer-config");
        List<Path> configs = new ArrayList<>();
        try {
            for (String text : request.config()) {
                configs.add(Files.writeString(folder.resolve("config-" + (configs.size() + 1) + ".yaml"), text));
            }
            String base = request.preset() != null
                    ? request.preset()
                    : configs.removeFirst().toString();
            return SpecResolver.forMachine(SpecLoader.loadGiven(base, configs, sets), Processor.here());
        } catch (SpecException e) {
            throw new BadInputException(e.getMessage(), e);
        } finally {
            for (int i = 1; i <= request.config().size(); i++) {
                Files.deleteIfExists(folder.resolve("config-" + i + ".yaml"));
            }
            Files.delete(folder);
        }
    }

    /** Who gave overrides wrote JSON, and no option of a command. */
    private static List<Given> sets(RunRequest request) {
        List<Given> sets = new ArrayList<>();
        request.overrides().forEach((path, value) -> {
            if (value == null) {
                throw new BadInputException("overrides: " + path
                        + " is null, must be a value; leave it out, or give '' for" + " an empty text");
            }
            sets.add(new Given("overrides", path + "=" + value));
        });
        if (Stream.concat(request.sets().stream(), request.config().stream()).anyMatch(Objects::isNull)) {
            throw new BadInputException("sets and config: an entry is null, must be a text; leave it out");
        }
        request.sets().forEach(set -> sets.add(new Given("--set", set)));
        return sets;
    }
}
