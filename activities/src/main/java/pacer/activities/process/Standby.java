package pacer.activities.process;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import pacer.activities.run.RunJson;

/**
 * A trainer's process started before there is work for it: it starts and compiles while this process does the same and prepares
 * the data. It is given its work as a line on its standard input; until then it has touched nothing. When it has done one work well it
 * stands by for the next: what it has compiled serves an evaluation too.
 */
public final class Standby implements AutoCloseable {
    private static final Duration ORDERLY_END = Duration.ofMinutes(5); // all but one that Java learns from end at once

    private Process waiting; // null while it is at work, and when there is none any more
    private boolean closed;
    private ErrorPump errors; // null until its first work

    private Standby(Process process) {
        this.waiting = process;
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
     * The process, told what to do; empty when it ended or is at work.
     *
     * @param work what: its arguments follow
     * @param log where its standard error is appended, for its first work from its start
     * @param lines takes each line of its standard output, on a thread of its own
     */
    public synchronized Optional<Child> take(String work, List<String> arguments, Path log, Consumer<String> lines)
            throws IOException {
        Process process = waiting;
        waiting = null;
        if (process == null) {
            return Optional.empty();
        }
        Files.createDirectories(log.toAbsolutePath().getParent());
        long logStart = log.toFile().length();
        if (errors == null) {
            errors = ErrorPump.begin(process, log); // what it said, should it have died, belongs to the log too
        } else {
            errors.to(log);
        }
        Child child = Child.adopt(process, log, logStart, errors.thread(), lines, this::takeBack);
        if (!process.isAlive()) {
            return Optional.empty();
        }
        try {
            child.tell(json(Stream.concat(Stream.of(work), arguments.stream()).toList()));
            return Optional.of(child);
        } catch (IOException e) {
            child.kill(); // it ended while being told
            return Optional.empty();
        }
    }

    private synchronized void takeBack(Process process) {
        if (closed) {
            process.toHandle().destroyForcibly(); // nobody would end it any more
        } else {
            waiting = process;
        }
    }

    private static String json(List<String> words) {
        try {
            return RunJson.MAPPER.writeValueAsString(words);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Ends it unless it is at work. */
    @Override
    public synchronized void close() {
        closed = true;
        Process process = waiting;
        waiting = null;
        if (process == null) {
            return;
        }
        if (errors != null) {
            endInOrder(process);
        }
        process.toHandle().destroyForcibly();
    }

    /** One that has worked ends as it would have then: Java may write down what it learned. */
    private static void endInOrder(Process process) {
        try {
            process.outputWriter(StandardCharsets.UTF_8).close(); // as whoever told it something has opened it
            boolean _ = process.waitFor(ORDERLY_END);
        } catch (IOException e) {
            return; // it has ended
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
