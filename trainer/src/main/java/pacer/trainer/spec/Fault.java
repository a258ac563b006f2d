package pacer.trainer.spec;

import java.util.regex.Pattern;

/**
 * One thing that is wrong with a specification, said in one line: {@code place path: value, rule; what to do}.
 *
 * @param path the setting, {@code model.layers}; empty when the fault is the file's as a whole
 */
public record Fault(Place place, String path, String message) {

    private static final int SHOWN = 60;

    /** Faults are written into logs and histories. */
    private static final Pattern USER_AND_PASSWORD = Pattern.compile("(?<=://)[^/\\s]*@");

    @Override
    public String toString() {
        boolean said = path.isEmpty() || place.source().matches("\\S+ " + Pattern.quote(path) + "=.*");
        return place + (said ? "" : " " + path) + ": " + message;
    }

    /** A value as a message may carry it: on one line, printable, not too long, and without the user and password of an address. */
    static String shown(String text) {
        String value = USER_AND_PASSWORD.matcher(text).replaceAll("…@");
        StringBuilder line = new StringBuilder();
        value.codePoints().limit(SHOWN + 1L).forEach(c -> {
            switch (c) {
                case '\n' -> line.append("\\n");
                case '\r' -> line.append("\\r");
                case '\t' -> line.append("\\t");
                default -> line.append(CanonicalYaml.shown(c));
            }
        });
        return value.codePointCount(0, value.length()) <= SHOWN ? line.toString() : line + "…";
    }
}
