package pacer.activities.process;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.Writer;
import java.nio.channels.Channels;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import pacer.trainer.Trainer;

/**
 * A child process that ends with its parent: it holds its standard input open and ends when that does; an orderly end of
 * this JVM ends it too. Its standard output is handed over line by line, its standard error is appended to a file.
 */
public final class Child {
    /** A child asked to die with its parent dies with the thread that spawned it; this one never ends. */
    private static final ExecutorService SPAWNER = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("child-spawner").factory());

    private static final int TAIL_BYTES = 1 << 14;

    private final Process process;
    private final Path log;
    private final long logStart;
    private final CompletableFuture<Integer> ended = new CompletableFuture<>();
    private final Consumer<Process> goesOn; // null where it ends with its work
    private final Thread reader;
    private final Thread pump; // null where standard error goes to the log by itself
    private volatile boolean done;

    private Child(
            Process process, Path log, long logStart, Consumer<String> lines, Thread pump, Consumer<Process> goesOn) {
        this.process = process;
        this.log = log;
        this.logStart = logStart;
        this.pump = pump;
        this.goesOn = goesOn;
        var _ = process.onExit().thenAccept(exited -> ended.complete(exited.exitValue()));
        this.reader = Thread.ofPlatform()
                .daemon()
                .name("child-" + process.pid() + "-output")
                .start(() -> read(lines));
    }

    /**
     * Starts {@code command} with {@code environment} added to this process's.
     *
     * @param log where its standard error is appended
     * @param lines takes each line of its standard output, on a thread of its own
     */
    public static Child start(List<String> command, Map<String, String> environment, Path log, Consumer<String> lines)
            throws IOException, InterruptedException {
        Files.createDirectories(log.toAbsolutePath().getParent());
        File logFile = log.toFile();
        long logStart = logFile.length();
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.appendTo(logFile));
        builder.environment().putAll(environment);
        return new Child(spawn(builder), log, logStart, lines, null, null);
    }

    static Process spawn(ProcessBuilder builder) throws IOException, InterruptedException {
        try {
            return SPAWNER.submit(() -> Shutdown.register(builder.start())).get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException io) {
                throw new IOException(builder.command().getFirst() + " does not start: " + io.getMessage(), io);
            }
            throw new IllegalStateException(e.getCause());
        }
    }

    /**
     * A process that stood by, now at work. When it says that it has done that, this child has ended with code 0, though the process lives.
     *
     * @param log where {@code pump} appends its standard error
     * @param logStart where in it that begins
     * @param goesOn takes the process then
     */
    static Child adopt(
            Process process, Path log, long logStart, Thread pump, Consumer<String> lines, Consumer<Process> goesOn) {
        return new Child(process, log, logStart, lines, pump, goesOn);
    }

    private void read(Consumer<String> lines) {
        try {
            BufferedReader output = process.inputReader(StandardCharsets.UTF_8); // the same for each work
            String line = output.readLine();
            while (line != null) {
                if (goesOn != null && line.equals(Trainer.DONE)) {
                    done = true;
                    goesOn.accept(process);
                    ended.complete(0);
                    return;
                }
                lines.accept(line);
                line = output.readLine();
            }
            output.close();
        } catch (IOException e) {
            return; // the pipe broke with the process; its exit code says why
        }
    }

    public ProcessHandle handle() {
        return process.toHandle();
    }

    public boolean isAlive() {
        return !ended.isDone();
    }

    /** Calls {@code then} with the exit code when it ends, its last output perhaps not read yet. */
    public void onExit(IntConsumer then) {
        var _ = ended.thenAccept(then::accept);
    }

    /** Its exit code, waited for; 128 and the signal's number when a signal ended it. */
    public int exitValue() {
        return ended.join();
    }

    /** Waits for its end, at most {@code time}; whether it ended. */
    public boolean waitFor(Duration time) throws InterruptedException {
        try {
            int _ = ended.get(time.toNanos(), TimeUnit.NANOSECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        }
    }

    /** Waits until all it wrote has been handed over. */
    public void awaitOutput() throws InterruptedException {
        reader.join();
        if (pump != null && !done) {
            pump.join();
        }
    }

    /**
     * Writes a line to its standard input.
     *
     * @throws IOException when it has ended
     */
    public void tell(String line) throws IOException {
        Writer input = process.outputWriter(StandardCharsets.UTF_8);
        input.append(line).append('\n').flush();
    }

    /** Asks it to end (SIGTERM). */
    public void terminate() {
        if (!done) {
            process.toHandle().destroy();
        }
    }

    /** Ends it (SIGKILL). */
    public void kill() {
        if (!done) {
            process.toHandle().destroyForcibly();
        }
    }

    /** The last lines it wrote to standard error, without what the JVM says by itself. */
    public List<String> lastWords(int lines) {
        try (SeekableByteChannel channel = Files.newByteChannel(log)) {
            channel.position(Math.max(logStart, channel.size() - TAIL_BYTES));
            String tail = new String(Channels.newInputStream(channel).readAllBytes(), StandardCharsets.UTF_8);
            List<String> all = tail.lines()
                    .filter(line ->
                            !line.isBlank() && !line.startsWith("WARNING: ") && !line.startsWith("\t")) // nor stacks
                    .toList();
            return all.subList(Math.max(0, all.size() - lines), all.size());
        } catch (IOException e) {
            return List.of();
        }
    }
}
