package pacer.workflows.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Where a command writes for people.
 *
 * @param out always UTF-8: a container without a locale has a terminal that shows it all the same
 * @param interactive whether a line can be drawn over
 * @param color whether colours are wanted
 * @param size how wide it is; asked anew for each drawing
 */
record Terminal(PrintStream out, boolean interactive, boolean color, TerminalSize size) {

    /** Standard output. */
    static Terminal standard(Map<String, String> environment) {
        // whether standard output is a terminal, and how wide, costs the launcher nothing to find out and Java a native
        // call
        String columns = environment.getOrDefault("PACER_COLUMNS", "");
        boolean terminal = !columns.isEmpty();
        boolean smart = !environment.getOrDefault("TERM", "dumb").equals("dumb");
        boolean colors = environment.getOrDefault("NO_COLOR", "").isEmpty();
        return new Terminal(
                utf8(FileDescriptor.out), terminal && smart, terminal && smart && colors, TerminalSize.of(columns));
    }

    private static PrintStream utf8(FileDescriptor descriptor) {
        return new PrintStream(new FileOutputStream(descriptor), true, StandardCharsets.UTF_8);
    }

    int columns() {
        return size.columns();
    }

    void println(String line) {
        out.println(line);
    }

    /** {@code text} in the colour of {@code tone}, where there are colours. */
    String paint(Tone tone, String text) {
        return color && !text.isEmpty() ? tone.paint(text) : text;
    }

    /** Prints {@code text}; on a terminal in lines that end at blanks, further ones {@code indent} columns in. */
    void flow(String text, int indent) {
        String margin = " ".repeat(indent);
        for (String line : text.split("\n", -1)) {
            List<String> lines = interactive ? wrapped(line, Math.max(20, columns() - indent)) : List.of(line);
            // the first line has room at the margin that the others leave; it is not used, so that the break is one
            for (int i = 0; i < lines.size(); i++) {
                println((i == 0 ? "" : margin) + lines.get(i));
            }
        }
    }

    /** Prints {@code text} after {@code head}, which takes {@code indent} columns; on a terminal in lines that stay right of it. */
    void hang(String head, String text, int indent) {
        String before = head;
        for (String line : text.split("\n", -1)) {
            for (String part : interactive ? wrapped(line, Math.max(20, columns() - indent)) : List.of(line)) {
                println(before + part);
                before = " ".repeat(indent);
            }
        }
    }

    /** Columns that {@code text} takes: colours take none. */
    static int width(String text) {
        String bare = text.replaceAll("\u001b\\[[0-9]*m", "");
        return bare.codePointCount(0, bare.length());
    }

    /** {@code text} in lines of at most {@code width} characters, broken at blanks; a longer word has a line of its own. */
    static List<String> wrapped(String text, int width) {
        List<String> lines = new ArrayList<>();
        StringBuilder line = new StringBuilder();
        for (String word : text.split(" ", -1)) {
            if (!line.isEmpty() && width(line.toString()) + 1 + width(word) > width) {
                lines.add(line.toString());
                line.setLength(0);
            }
            line.append(line.isEmpty() ? "" : " ").append(word);
        }
        lines.add(line.toString());
        return lines;
    }

    /**
     * Text from elsewhere, such as a model's, without what a terminal would obey: control characters other than line breaks and
     * tabs become U+FFFD.
     */
    static String harmless(String text) {
        StringBuilder safe = new StringBuilder(text.length());
        text.codePoints().forEach(c -> {
            boolean obeyed = Character.isISOControl(c) && c != '\n' && c != '\t';
            boolean turns = (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
            if (c != '\r') {
                safe.appendCodePoint(obeyed || turns ? 0xFFFD : c);
            }
        });
        return safe.toString();
    }
}
