package pacer.workflows.cli;

import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import pacer.activities.run.RunJson;

/**
 * What a command talks to.
 *
 * @param out standard output
 * @param err standard error
 * @param environment the process's
 */
record Console(Terminal out, PrintStream err, Map<String, String> environment) {

    static Console standard(Map<String, String> environment) {
        return new Console(
                Terminal.standard(environment), new PrintStream(System.err, true, StandardCharsets.UTF_8), environment);
    }

    /** Standard error for what people read while standard output is for a script; never drawn over. */
    Terminal errors() {
        return new Terminal(err, false, false, TerminalSize.fixed(80));
    }

    /** One line on standard error for people. */
    void complain(String message) {
        messages().flow("pacer: " + Terminal.harmless(message), 7);
    }

    /** Standard error, wrapped where that is a terminal, whose width the launcher knows. */
    private Terminal messages() {
        String columns = environment.getOrDefault("PACER_ERROR_COLUMNS", "");
        return new Terminal(err, !columns.isEmpty(), false, TerminalSize.of(columns));
    }

    void println(String line) {
        out.println(line);
    }

    /** Prints {@code value} as JSON on standard output. */
    void json(Object value) {
        try {
            out.println(
                    RunJson.MAPPER.writer(SerializationFeature.INDENT_OUTPUT).writeValueAsString(value));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** How the user called pacer: what commands to go on with begin with. */
    String program() {
        return environment.getOrDefault("PACER_COMMAND", "pacer");
    }

    /** {@code path} as short as it can be written from the working directory. */
    static String shown(Path path) {
        Path here = Path.of("").toAbsolutePath();
        Path absolute = path.toAbsolutePath().normalize();
        return absolute.startsWith(here) && !absolute.equals(here)
                ? here.relativize(absolute).toString()
                : absolute.toString();
    }
}
