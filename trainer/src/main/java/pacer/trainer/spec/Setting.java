package pacer.trainer.spec;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * One value of the specification.
 *
 * @param path {@code model.layers}
 * @param way the record components that lead to it from the root
 * @param standard what stands when no layer gives it; empty when it must be given
 */
record Setting(String path, List<RecordComponent> way, Optional<Object> standard) {

    Class<?> type() {
        return way.getLast().getType();
    }

    Doc doc() {
        return way.getLast().getAnnotation(Doc.class);
    }

    /** The section it is in, {@code model}; empty at the root. */
    String section() {
        return path.substring(0, Math.max(0, path.lastIndexOf('.')));
    }

    /** Its value in {@code root}. */
    Object in(Record root) {
        Object at = root;
        for (RecordComponent step : way) {
            try {
                at = step.getAccessor().invoke(at);
            } catch (IllegalAccessException | InvocationTargetException e) {
                throw new IllegalStateException("cannot read " + path, e);
            }
        }
        return at;
    }

    /** What is wanted, for people. */
    String kind() {
        Class<?> type = type();
        if (type == int.class || type == long.class) {
            return "a whole number";
        } else if (type == double.class) {
            return "a number";
        } else if (type == boolean.class) {
            return "true or false";
        } else if (type == String.class) {
            return "text";
        }
        return "one of " + choices().stream().collect(Collectors.joining(", "));
    }

    /** The names of an enum's values as YAML writes them. */
    List<String> choices() {
        return Arrays.stream(type().getEnumConstants()).map(Setting::name).toList();
    }

    /** A value's text, as {@link #kind} reads it back. */
    static String text(Object value) {
        return switch (value) {
            case Enum<?> choice -> name(choice);
            case Double number -> CanonicalYaml.number(number);
            default -> value.toString();
        };
    }

    private static String name(Object choice) {
        return ((Enum<?>) choice).name().toLowerCase(Locale.ROOT);
    }
}
