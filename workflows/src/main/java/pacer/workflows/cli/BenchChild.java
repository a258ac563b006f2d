package pacer.workflows.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import pacer.activities.process.Child;

/**
 * A process that was run to its end.
 *
 * @param lines its standard output
 * @param launched just before it was started
 * @param seconds from then to its end
 * @param peakBytes most memory resident in it and its descendants together, where that was watched and the system tells
 */
record BenchChild(
        int code,
        List<String> lines,
        List<String> lastWords,
        Instant launched,
        double seconds,
        OptionalLong peakBytes) {
    private static final int LAST_WORDS = 8;

    /** Whether memory is watched, which costs the machine a little. */
    enum Watch {
        MEMORY,
        NOTHING
    }

    /** Runs {@code command}; it is killed when this thread is interrupted. */
    static BenchChild run(List<String> command, Map<String, String> environment, Path log, Watch watch)
            throws IOException, InterruptedException {
        List<String> lines = Collections.synchronizedList(new ArrayList<>());
        Instant launched = Instant.now();
        long start = System.nanoTime();
        Child child = Child.start(command, environment, log, lines::add);
        long[] ended = new long[1];
        try {
            BenchMemory memory = new BenchMemory(child.handle());
            do {
                if (watch == Watch.MEMORY) {
                    memory.look();
                }
            } while (!child.waitFor(BenchMemory.INTERVAL));
            ended[0] = System.nanoTime();
            child.awaitOutput();
            return new BenchChild(
                    child.exitValue(),
                    List.copyOf(lines),
                    child.lastWords(LAST_WORDS),
                    launched,
                    (ended[0] - start) / 1e9,
                    memory.peakBytes());
        } finally {
            child.kill();
            child.waitFor(Duration.ofSeconds(5));
        }
    }

    /** As {@link #run}; a failure says what the child said last. */
    static BenchChild runWell(String what, List<String> command, Map<String, String> environment, Path log)
            throws IOException, InterruptedException {
        return run(command, environment, log, Watch.NOTHING).well(what);
    }

    /** This, unless it failed. */
    BenchChild well(String what) throws IOException {
        if (code != 0) {
            throw new IOException(what + " ended with code " + code
                    + (lastWords.isEmpty() ? "" : ":\n  " + String.join("\n  ", lastWords)));
        }
        return this;
    }

    /** The last line of its output. */
    String answer(String what) throws IOException {
        if (lines.isEmpty()) {
            throw new IOException(what + " printed nothing");
        }
        return lines.getLast();
    }

    /** {@code command} started in {@code folder}. */
    static List<String> in(Path folder, List<String> command) {
        List<String> line = new ArrayList<>(List.of("sh", "-c", "cd \"$1\" && shift && exec \"$@\"", "sh"));
        line.add(folder.toString());
        line.addAll(command);
        return line;
    }
}
