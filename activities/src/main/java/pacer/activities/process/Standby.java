package pacer.activities.process;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import pacer.activities.run.RunJson;

/**
 * A trainer's process started before there is work for it: it starts and compiles while this process does the same and prepares
 * the data. It is given its work once, as a line on its standard input; until then it has touched nothing.
 */
public final class Standby implements AutoCloseable {
    private final AtomicReference<Process> waiting;

    private Standby(Process process) {
        this.waiting = new AtomicReference<>(process);
    }

    /** Starts {@code command}; when it does not start there is none. */
    public static Optional<Standby> begin(List<String> command) {
        try {
            return Optional.of(new Standby(Child.spawn(new ProcessBuilder(command))));
        } catch (IOException e) {
            return Optional.empty(); // training will try for itself, and say why it cannot
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }

    /**
     * The process, told its arguments; empty when it ended or was taken already.
     *
     * @param log where its standard error is appended, from its start
     * @param lines takes each line of its standard output, on a thread of its own
     */
    public Optional<Child> take(List<String> arguments, Path log, Consumer<String> lines) throws IOException {
        Process process = waiting.getAndSet(null);
        if (process == null) {
            return Optional.empty();
        }
        Child child = Child.adopt(process, log, lines); // what it said, should it have died, belongs to the log too
        if (!process.isAlive()) {
            return Optional.empty();
        }
        try {
            process.outputWriter(StandardCharsets.UTF_8)
                    .append(json(arguments))
                    .append('\n')
                    .flush();
            return Optional.of(child);
        } catch (IOException e) {
            child.kill(); // it ended while being told
            return Optional.empty();
        }
    }

    private static String json(List<String> arguments) {
        try {
            return RunJson.MAPPER.writeValueAsString(arguments);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Ends it unless it was taken. */
    @Override
    public void close() {
        Process process = waiting.getAndSet(null);
        if (process != null) {
            process.toHandle().destroyForcibly();
        }
    }
}
