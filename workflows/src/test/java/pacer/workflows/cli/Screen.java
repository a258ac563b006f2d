package pacer.workflows.cli;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A terminal that remembers, and knows what would be seen on it. */
final class Screen {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    Terminal terminal(boolean interactive, int columns) {
        return new Terminal(
                new PrintStream(out, true, StandardCharsets.UTF_8),
                interactive,
                interactive,
                TerminalSize.fixed(columns));
    }

    Console console(Map<String, String> environment) {
        return new Console(terminal(false, 80), new PrintStream(err, true, StandardCharsets.UTF_8), environment);
    }

    String raw() {
        return out.toString(StandardCharsets.UTF_8);
    }

    String errors() {
        return err.toString(StandardCharsets.UTF_8);
    }

    /** The lines as they stand after everything was drawn over; fails on an escape sequence that is not expected. */
    List<String> seen() {
        List<String> lines = new ArrayList<>(List.of(""));
        String text = raw().replaceAll("\u001b\\[[0-9]*m", "");
        for (String part : text.split("(?<=\n)", -1)) {
            for (String drawn : part.split("\r", -1)) {
                String bare = drawn.replace("\n", "").replace("\u001b[K", "");
                if (bare.indexOf('\u001b') >= 0) {
                    throw new AssertionError("escape sequence in: " + bare);
                }
                lines.set(lines.size() - 1, bare);
            }
            if (part.endsWith("\n")) {
                lines.add("");
            }
        }
        return lines;
    }
}
