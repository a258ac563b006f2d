package pacer.trainer.spec;

import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a record of records can be given: its sections (components that are records) and its settings (the others), by path
 * and in order. A setting's type is one of int, long, double, boolean, String and enums.
 */
final class Schema {

    static final Schema RUN = new Schema(RunSpec.class);

    private final Class<? extends Record> root;
    private final Map<String, Setting> settings = new LinkedHashMap<>();
    private final Map<String, Doc> sections = new LinkedHashMap<>();

    Schema(Class<? extends Record> root) {
        this.root = root;
        add(root, "", List.of());
    }

    private void add(Class<? extends Record> section, String prefix, List<RecordComponent> way) {
        for (RecordComponent component : section.getRecordComponents()) {
            String path = prefix + component.getName();
            List<RecordComponent> here = new ArrayList<>(way);
            here.add(component);
            if (component.getType().isRecord()) {
                sections.put(path, component.getAnnotation(Doc.class));
                add(component.getType().asSubclass(Record.class), path + ".", here);
            } else {
                Setting bare = new Setting(path, List.copyOf(here), Optional.empty());
                settings.put(path, new Setting(path, bare.way(), standard(bare)));
            }
        }
    }

    private static Optional<Object> standard(Setting setting) {
        if (setting.doc().standard().isEmpty()) {
            return Optional.empty();
        }
        Faults faults = new Faults();
        String source = "standard of " + setting.path();
        YamlNode node = YamlReader.value(setting.doc().standard(), setting.path(), source, faults)
                .orElseThrow();
        try {
            return Optional.of(ScalarValue.of(setting, (YamlNode.Scalar) node));
        } catch (ScalarValue.Unfit e) {
            throw new IllegalStateException(source + ": " + e.getMessage(), e);
        }
    }

    Optional<Setting> setting(String path) {
        return Optional.ofNullable(settings.get(path));
    }

    Collection<Setting> settings() {
        return settings.values();
    }

    /** Settings of one section alone. */
    List<Setting> settings(String section) {
        return settings.values().stream()
                .filter(setting -> setting.section().equals(section))
                .toList();
    }

    boolean isSection(String path) {
        return sections.containsKey(path);
    }

    /** Paths of the sections with what they hold. */
    Map<String, Doc> sections() {
        return sections;
    }

    /** The record with {@code values}, one for each path. */
    Record build(Map<String, Object> values) {
        return build(root, "", values);
    }

    private static Record build(Class<? extends Record> section, String prefix, Map<String, Object> values) {
        RecordComponent[] components = section.getRecordComponents();
        Class<?>[] types =
                Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
        Object[] arguments = new Object[components.length];
        for (int i = 0; i < arguments.length; i++) {
            String path = prefix + components[i].getName();
            arguments[i] = types[i].isRecord()
                    ? build(types[i].asSubclass(Record.class), path + ".", values)
                    : values.get(path);
        }
        try {
            return section.getDeclaredConstructor(types).newInstance(arguments);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("cannot make a " + section.getSimpleName(), e);
        }
    }
}
