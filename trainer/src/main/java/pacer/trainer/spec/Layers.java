package pacer.trainer.spec;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * Binds YAML to the settings of a {@link Schema}, layer upon layer; what a later layer gives stands. Each layer is checked
 * whole, also where a later one overrides it, and checking goes on after a fault.
 */
final class Layers {

    private final Schema schema;
    private final Faults faults;
    private final Map<String, Given> given = new HashMap<>();
    private final Map<String, Object> base = new HashMap<>(); // what the lowest layer says
    private final Map<String, Place> sections = new HashMap<>();
    private int layer;

    Layers(Schema schema, Faults faults) {
        this.schema = schema;
        this.faults = faults;
    }

    /** What the topmost layer that mentions a setting says; {@code value} is null where that was faulted. */
    private record Given(Object value, Place place, int layer) {}

    /** Adds a document as the topmost layer. */
    void add(YamlNode root) {
        layer++;
        if (root instanceof YamlNode.Mapping mapping) {
            section("", mapping);
        } else if (!(root instanceof YamlNode.Refused)) {
            faults.add(root.place(), "", "must be a mapping of settings; write for example model: {layers: 4}");
        }
    }

    /** Adds one value, of a section or a setting, as the topmost layer. */
    void add(String path, YamlNode value, Place place) {
        layer++;
        member(path, new YamlNode.Entry(path, place, value));
    }

    private void section(String path, YamlNode.Mapping mapping) {
        for (YamlNode.Entry entry : mapping.entries()) {
            if (faults.full()) {
                return;
            }
            String child = YamlReader.child(path, entry.key());
            if (entry.key().contains(".")) {
                faults.add(entry.place(), child, "a name with a dot is not a setting; nest it, section: {name: value}");
            } else {
                member(child, entry);
            }
        }
    }

    private void member(String path, YamlNode.Entry entry) {
        if (schema.isSection(path)) {
            switch (entry.value()) {
                case YamlNode.Mapping mapping -> {
                    sections.putIfAbsent(path, entry.place());
                    section(path, mapping);
                }
                case YamlNode.Refused _ -> refuse(path, entry.place());
                case YamlNode.Scalar scalar
                when scalar.plain() && scalar.text().isEmpty() -> {
                    refuse(path, entry.place());
                    faults.add(
                            entry.place(),
                            path,
                            "nothing, must be a section; indent its settings below it or delete it");
                }
                case YamlNode other -> {
                    refuse(path, other.place());
                    faults.add(
                            other.place(),
                            path,
                            "%s, must be a section; write %s: {%s: …}"
                                    .formatted(described(other), path, firstSetting(path)));
                }
            }
        } else if (schema.setting(path).isPresent()) {
            setting(schema.setting(path).get(), entry.value());
        } else {
            faults.add(entry.place(), path, unknown(path));
        }
    }

    private void setting(Setting setting, YamlNode node) {
        Object value = null;
        if (node instanceof YamlNode.Scalar scalar) {
            try {
                value = ScalarValue.of(setting, scalar);
            } catch (ScalarValue.Unfit e) {
                faults.add(node.place(), setting.path(), e.getMessage());
            }
        } else if (!(node instanceof YamlNode.Refused)) {
            faults.add(
                    node.place(),
                    setting.path(),
                    "%s, must be %s; give a single value".formatted(described(node), setting.kind()));
        }
        given.put(setting.path(), new Given(value, node.place(), layer));
        if (layer == 1) {
            base.put(setting.path(), value);
        }
    }

    /** Whether a layer above the lowest gives {@code path}. */
    boolean isAboveBase(String path) {
        return layerOf(path) > 1;
    }

    /** Whether the lowest layer by itself would give {@code setting} another value; its hex digits may be of either case. */
    boolean differsFromBase(Setting setting, Object value) {
        Object before = base.containsKey(setting.path())
                ? base.get(setting.path())
                : setting.standard().orElse(null);
        boolean same = (before instanceof String text && value instanceof String now)
                ? text.equalsIgnoreCase(now)
                : Objects.equals(before, value);
        return isAboveBase(setting.path()) && !same;
    }

    /** The name that the lowest layer gives the run. */
    String baseName(String otherwise) {
        return base.get("name") instanceof String name ? name : otherwise;
    }

    private void refuse(String section, Place place) {
        schema.settings().stream()
                .filter(setting -> setting.path().startsWith(section + "."))
                .forEach(setting -> given.put(setting.path(), new Given(null, place, layer)));
    }

    private String firstSetting(String section) {
        String path = schema.settings(section).getFirst().path();
        return path.substring(section.length() + 1);
    }

    private static String described(YamlNode node) {
        return switch (node) {
            case YamlNode.Scalar scalar -> Fault.shown(scalar.text());
            case YamlNode.Mapping _ -> "a mapping";
            case YamlNode.Sequence _ -> "a list";
            case YamlNode.Refused _ -> "an unreadable value";
        };
    }

    /** What to say of a name that is none. */
    String unknown(String path) {
        return Nearest.path(path, schema)
                .map(near -> "no such setting; " + near.question())
                .orElseGet(() -> {
                    String section = path.substring(0, Math.max(0, path.lastIndexOf('.')));
                    String names = schema.settings(section).stream()
                            .map(setting -> setting.path().substring(section.isEmpty() ? 0 : section.length() + 1))
                            .collect(Collectors.joining(", "));
                    String where = section.isEmpty() ? "the root" : section;
                    return section.isEmpty() || schema.isSection(section)
                            ? "no such setting; %s has %s%s"
                                    .formatted(where, names, section.isEmpty() ? ", " + sectionNames() : "")
                            : "no such setting; sections are " + sectionNames();
                });
    }

    private String sectionNames() {
        return schema.sections().keySet().stream()
                .filter(path -> !path.contains("."))
                .collect(Collectors.joining(", "));
    }

    /**
     * The values of all settings. Those given by no layer get their standard; those that must be given are faults at
     * {@code base}, the lowest layer. What is missing or faulted gets some value of its type, and {@link #sound} is false of it.
     */
    Map<String, Object> values(Place base) {
        Map<String, Object> values = new LinkedHashMap<>();
        for (Setting setting : schema.settings()) {
            Given found = given.get(setting.path());
            Object value = found == null ? setting.standard().orElse(null) : found.value();
            values.put(setting.path(), value == null ? filler(setting.type()) : value);
        }
        List<Setting> missing = schema.settings().stream()
                .filter(setting -> !given.containsKey(setting.path()))
                .filter(setting -> setting.standard().isEmpty())
                .toList();
        missing.stream()
                .collect(Collectors.groupingBy(Setting::section, LinkedHashMap::new, Collectors.toList()))
                .forEach((section, absent) -> missing(section, absent, base));
        return values;
    }

    private void missing(String section, List<Setting> absent, Place base) {
        if (!section.isEmpty() && !sections.containsKey(section)) {
            String names = absent.stream()
                    .map(setting -> setting.path().substring(section.length() + 1))
                    .collect(Collectors.joining(", "));
            faults.add(base, section, "missing, must be given; add the section with " + names);
            return;
        }
        for (Setting setting : absent) {
            faults.add(
                    sections.getOrDefault(section, base),
                    setting.path(),
                    "missing, must be given; add %s: %s"
                            .formatted(setting.path().substring(setting.path().lastIndexOf('.') + 1), setting.kind()));
        }
    }

    private static Object filler(Class<?> type) {
        if (type == int.class) {
            return 1;
        } else if (type == long.class) {
            return 1L;
        } else if (type == double.class) {
            return 1.0;
        } else if (type == boolean.class) {
            return false;
        }
        return type.isEnum() ? type.getEnumConstants()[0] : "";
    }

    /** Whether each of {@code paths} has a value that someone meant. */
    boolean sound(String... paths) {
        for (String path : paths) {
            Given found = given.get(path);
            boolean good = found == null
                    ? schema.setting(path).orElseThrow().standard().isPresent()
                    : found.value() != null;
            if (!good) {
                return false;
            }
        }
        return true;
    }

    /** The one of {@code paths} that the topmost layer gives: what was changed last is what most likely broke a rule. */
    String latest(String... paths) {
        String latest = paths[0];
        for (String path : paths) {
            if (layerOf(path) > layerOf(latest)) {
                latest = path;
            }
        }
        return latest;
    }

    private int layerOf(String path) {
        return given.containsKey(path) ? given.get(path).layer() : 0;
    }

    Place placeOf(String path, Place otherwise) {
        return given.containsKey(path) ? given.get(path).place() : otherwise;
    }
}
