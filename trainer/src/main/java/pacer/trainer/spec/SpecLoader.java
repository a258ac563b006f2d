package pacer.trainer.spec;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Reads a specification from its layers: a preset, then {@code --config} files, then {@code --set} overrides. Every fault of
 * every layer is reported at once.
 */
public final class SpecLoader {

    private final Faults faults = new Faults();
    private final Layers layers = new Layers(Schema.RUN, faults);
    private boolean unread;

    private SpecLoader() {}

    /**
     * A specification from its layers, the later ones standing.
     *
     * @param preset a preset's name (letters, digits and dashes), or else the path of a YAML file
     * @param configs YAML files that give some of the settings
     * @param sets overrides {@code a.b=value}; {@code value} is YAML, and for a text setting the text itself unless in quotes
     * @throws SpecException with all faults, when there is any
     */
    public static RunSpec load(String preset, List<Path> configs, List<String> sets) {
        return loadGiven(
                preset,
                configs,
                sets.stream().map(set -> new Given("--set", set)).toList());
    }

    /**
     * A setting over the others.
     *
     * @param by what gave it, in one word, for faults: {@code --set}, {@code overrides}
     * @param setting {@code a.b=value}
     */
    public record Given(String by, String setting) {}

    /** The same with settings of which each says what gave it. */
    public static RunSpec loadGiven(String preset, List<Path> configs, List<Given> sets) {
        SpecLoader loader = new SpecLoader();
        Place base = loader.preset(preset);
        configs.forEach(loader::file);
        sets.forEach(loader::set);
        return loader.finish(base);
    }

    /**
     * The specification in one file, such as the resolved one of a run's folder.
     *
     * @throws SpecException with all faults, when there is any
     */
    public static RunSpec read(Path file) {
        SpecLoader loader = new SpecLoader();
        loader.file(file);
        return loader.finish(Place.of(file.toString()));
    }

    private Place preset(String preset) {
        if (!preset.matches("[A-Za-z0-9-]+")) {
            Place place = Place.of(Fault.shown(preset));
            try {
                file(Path.of(preset));
            } catch (InvalidPathException e) {
                fail(place, "neither a preset's name nor a path, %s; %s".formatted(e.getReason(), Presets.known()));
            }
            return place;
        }
        Place place = Place.of(Presets.source(preset));
        Optional<byte[]> yaml = Presets.yaml(preset);
        if (yaml.isEmpty()) {
            String near = Nearest.among(preset, Presets.NAMES)
                    .map(found -> found.question() + " ")
                    .orElse("");
            fail(Place.of("preset " + Fault.shown(preset)), "no such preset; " + near + Presets.known());
        } else {
            add(yaml.get(), place.source());
        }
        return place;
    }

    private void file(Path file) {
        Place place = Place.of(Fault.shown(file.toString()));
        try {
            if (Files.exists(file) && !Files.isRegularFile(file)) {
                fail(place, "not a file; give a YAML file");
                return;
            }
            try (InputStream in = Files.newInputStream(file)) {
                add(in.readNBytes(YamlReader.MAX_BYTES + 1), place.source());
            }
        } catch (NoSuchFileException _) {
            fail(place, "no such file; give the path of a YAML file");
        } catch (IOException e) {
            fail(place, "cannot be read, %s; check the file and its permissions".formatted(e));
        }
    }

    private void add(byte[] yaml, String source) {
        Optional<YamlNode> root = YamlReader.file(yaml, source, faults);
        root.ifPresent(layers::add);
        unread |= !(root.orElse(null) instanceof YamlNode.Mapping);
    }

    private void set(Given given) {
        String set = given.setting();
        String source = given.by() + " " + Fault.shown(set);
        Place place = Place.of(source);
        int equals = set.indexOf('=');
        if (equals < 1) {
            fail(place, "must be path=value; write for example " + given.by() + " train.steps=100");
            return;
        }
        String path = set.substring(0, equals);
        String text = set.substring(equals + 1);
        Optional<Setting> setting = Schema.RUN.setting(path);
        if (setting.isEmpty() && !Schema.RUN.isSection(path)) {
            faults.add(place, Fault.shown(path), layers.unknown(path));
            return;
        }
        boolean quoted = text.startsWith("\"") || text.startsWith("'");
        if (setting.isPresent() && setting.get().type() == String.class && !quoted) {
            layers.add(path, new YamlNode.Scalar(text, false, place), place);
        } else if (text.isBlank()) {
            layers.add(path, new YamlNode.Scalar("", true, place), place);
        } else {
            YamlNode value = YamlReader.value(text, path, source, faults).orElse(new YamlNode.Refused(place));
            layers.add(path, value, place);
        }
    }

    private void fail(Place place, String message) {
        faults.add(place, "", message);
        unread = true;
    }

    private RunSpec finish(Place base) {
        if (!unread) {
            Map<String, Object> values = layers.values(base);
            RunSpec spec = (RunSpec) Schema.RUN.build(values);
            new Rules(spec, layers, base, faults).check();
            faults.throwIfAny();
            return Descriptions.settle(Expectations.settle(spec, layers), layers);
        }
        throw new SpecException(faults.all());
    }
}
