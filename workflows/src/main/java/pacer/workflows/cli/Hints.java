package pacer.workflows.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Commands to go on with, written so that they can be pasted where pacer was called: with the places and the service that this
 * call was given, for the next one would not know of them.
 *
 * @param program how the user called pacer
 * @param places the options that say where runs and caches lie, as words
 * @param service those that say which service
 * @param spec the preset and its layers; empty where the call named none
 */
record Hints(String program, List<String> places, List<String> service, List<String> spec) {
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9_./:=,@%+-]+");

    static Hints of(Console console, PlaceOptions places) {
        return new Hints(console.program(), places.words(), List.of(), List.of());
    }

    Hints with(ServiceOption option) {
        String address = option.temporal();
        return new Hints(program, places, address == null ? List.of() : List.of("--temporal", address), spec);
    }

    Hints with(SpecOptions options) {
        return new Hints(program, places, service, options.words());
    }

    /** Goes on with the run {@code id}. */
    String resume(String id) {
        return command(List.of(List.of("resume", id), service));
    }

    /** Goes on with the sweep {@code id}. */
    String sweepOn(String id) {
        return command(List.of(List.of("sweep", "--resume", id), service));
    }

    /** Does again what was asked for. */
    String again(String command) {
        return command(List.of(List.of(command), spec, service));
    }

    /** Runs {@code otherSpec}, the words of a preset and its layers. */
    String run(List<String> otherSpec) {
        return command(List.of(List.of("run"), otherSpec, service));
    }

    /** A command that needs no service. */
    String local(String... words) {
        return command(List.of(List.of(words)));
    }

    private String command(List<List<String>> parts) {
        List<String> words = new ArrayList<>(List.of(program));
        parts.forEach(words::addAll);
        words.addAll(places);
        return words.stream().map(Hints::quoted).collect(Collectors.joining(" "));
    }

    /** {@code word} as a shell takes it for one. */
    static String quoted(String word) {
        return PLAIN.matcher(word).matches() ? word : "'" + word.replace("'", "'\\''") + "'";
    }
}
