package pacer.trainer.spec;

import java.util.LinkedHashMap;
import java.util.SequencedMap;

/**
 * Writes a whole specification as YAML in one way only: every setting, in the order of the records, text always in double
 * quotes, numbers as short as they can be without changing. Reading it back gives an equal record. Also as a flat list.
 */
public final class CanonicalYaml {

    private CanonicalYaml() {}

    /** {@code spec} as a YAML document that {@link SpecLoader#read} takes. */
    public static String write(RunSpec spec) {
        StringBuilder yaml = new StringBuilder();
        String section = "";
        for (Setting setting : Schema.RUN.settings()) {
            if (!setting.section().equals(section)) {
                section = setting.section();
                yaml.append(isNested(section) ? "" : "\n").append(line(section)).append(":\n");
            }
            yaml.append(line(setting.path()))
                    .append(": ")
                    .append(scalar(setting.in(spec)))
                    .append('\n');
        }
        return yaml.toString();
    }

    /** The last part of {@code path}, set in by as much as it has parts before. */
    private static String line(String path) {
        int depth = (int) path.chars().filter(c -> c == '.').count();
        return "  ".repeat(depth) + path.substring(path.lastIndexOf('.') + 1);
    }

    private static boolean isNested(String section) {
        return section.contains(".");
    }

    /** All settings in the order of the records, {@code model.layers} to {@code 4}, text without quotes. */
    public static SequencedMap<String, String> flatten(RunSpec spec) {
        SequencedMap<String, String> flat = new LinkedHashMap<>();
        Schema.RUN.settings().forEach(setting -> flat.put(setting.path(), Setting.text(setting.in(spec))));
        return flat;
    }

    /** A value as a YAML scalar. */
    static String scalar(Object value) {
        return value instanceof String text ? quoted(text) : Setting.text(value);
    }

    /** The shortest text that reads back as {@code value}: {@code 0.1}, {@code 1e-8}. */
    static String number(double value) {
        return Double.toString(value).replace(".0E", "E").replace('E', 'e');
    }

    /** A bound as people write it: {@code 1}, {@code 0.99}, {@code 1e9}. */
    static String plain(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e7 ? Long.toString((long) value) : number(value);
    }

    private static String quoted(String text) {
        StringBuilder out = new StringBuilder("\"");
        text.codePoints().forEach(c -> {
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                default -> out.append(shown(c));
            }
        });
        return out.append('"').toString();
    }

    /** A character as it stands, or escaped where it is not {@link #printable}. */
    static String shown(int c) {
        return printable(c) ? Character.toString(c) : (c > 0xFFFF ? "\\U%08x" : "\\u%04x").formatted(c);
    }

    /** Whether a character stands for itself in YAML and on a terminal: no control, line separator, surrogate or mark. */
    static boolean printable(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SURROGATE -> false;
            default -> c != 0xFFFE && c != 0xFFFF;
        };
    }
}
