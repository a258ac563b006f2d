package pacer.activities.process;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.Writer;
import java.nio.channels.Channels;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import java.util.function.IntConsumer;

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
    private final Thread reader;
    private final Thread pump; // null where standard error goes to the log by itself

    private Child(Process process, Path log, long logStart, Consumer<String> lines, Thread pump) {
        this.process = process;
        this.log = log;
        this.logStart = logStart;
        this.pump = pump;
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
        return new Child(spawn(builder), log, logStart, lines, null);
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

    /** A process whose standard error is still a pipe: from now on it flows to {@code log}. */
    static Child adopt(Process process, Path log, Consumer<String> lines) throws IOException {
        Files.createDirectories(log.toAbsolutePath().getParent());
        long logStart = log.toFile().length();
        OutputStream file = Files.newOutputStream(log, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        Thread pump = Thread.ofPlatform()
                .daemon()
                .name("child-" + process.pid() + "-errors")
                .start(() -> pump(process, file));
        return new Child(process, log, logStart, lines, pump);
    }

    private static void pump(Process process, OutputStream file) {
        try (file;
                InputStream errors = process.getErrorStream()) {
            errors.transferTo(file);
        } catch (IOException e) {
            return; // the pipe broke with the process, or the disk is full: the run itself will say so
        }
    }

    private void read(Consumer<String> lines) {
        try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8)) {
            String line = output.readLine();
            while (line != null) {
                lines.accept(line);
                line = output.readLine();
            }
        } catch (IOException e) {
            return; // the pipe broke with the process; its exit code says why
        }
    }

    public ProcessHandle handle() {
        return process.toHandle();
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** Calls {@code then} with the exit code when it ends, its last output perhaps not read yet. */
    public void onExit(IntConsumer then) {
        var _ = process.onExit().thenAccept(ended -> then.accept(ended.exitValue()));
    }

    /** Its exit code; 128 and the signal's number when a signal ended it. */
    public int exitValue() {
        return process.exitValue();
    }

    /** Waits for its end, at most {@code time}; whether it ended. */
    public boolean waitFor(Duration time) throws InterruptedException {
        return process.waitFor(time);
    }

    /** Waits until all it wrote has been handed over. */
    public void awaitOutput() throws InterruptedException {
        reader.join();
        if (pump != null) {
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
        process.toHandle().destroy();
    }

    /** Ends it (SIGKILL). */
    public void kill() {
        process.toHandle().destroyForcibly();
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
