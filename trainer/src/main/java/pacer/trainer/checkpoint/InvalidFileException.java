package pacer.trainer.checkpoint;

import java.io.IOException;
import java.nio.file.Path;

/** A file whose content breaks its format. The message is one line: file, place, what was found, what the rule is. */
public final class InvalidFileException extends IOException {
    private final Path file;

    public InvalidFileException(Path file, String place, String problem) {
        super(file + ": " + place + ": " + problem);
        this.file = file;
    }

    public Path file() {
        return file;
    }

    /** {@code text} fit for a one-line message: quoted, control characters escaped, the middle of a long one left out. */
    public static String quote(String text) {
        String shown = text.length() <= 120
                ? text
                : text.substring(0, 60) + "…(" + (text.length() - 120) + " more)…" + text.substring(text.length() - 60);
        boolean paired = isPaired(shown);
        StringBuilder quoted = new StringBuilder("\"");
        for (int i = 0; i < shown.length(); i++) {
            char c = shown.charAt(i);
            if (Character.isISOControl(c) || (Character.isSurrogate(c) && !paired)) {
                quoted.append("\\u%04x".formatted((int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }

    /** Whether every surrogate of {@code text} has its other half, so that the text has a UTF-8 form. */
    static boolean isPaired(String text) {
        return text.codePoints().noneMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
    }
}
