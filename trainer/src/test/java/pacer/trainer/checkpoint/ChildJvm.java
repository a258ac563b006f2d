package pacer.trainer.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A process of our own code that a test talks to line by line, and stops, kills or starves as it likes. */
public final class ChildJvm implements AutoCloseable {
    private static final long PATIENCE_SECONDS = 60;

    private final Process process;
    private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();
    private final Thread output;
    private final Thread errorOutput;
    private final Queue<String> errors = new ConcurrentLinkedQueue<>();

    private ChildJvm(Process process) {
        this.process = process;
        output = collect(process.inputReader(StandardCharsets.UTF_8), lines);
        errorOutput = collect(process.errorReader(StandardCharsets.UTF_8), errors);
    }

    private static Thread collect(BufferedReader from, Queue<String> to) {
        return Thread.ofVirtual().start(() -> {
            try {
                from.lines().forEach(to::add);
            } catch (UncheckedIOException closed) {
                // by close(), when nobody wants to know any more
            }
        });
    }

    /** Starts {@code main} with {@code arguments}. */
    public static ChildJvm start(Class<?> main, Object... arguments) throws IOException {
        return start(List.of(), Map.of(), main, arguments);
    }

    /** Starts {@code main} behind {@code prefix}, a command that runs the rest of its line, with more {@code environment}. */
    public static ChildJvm start(
            List<String> prefix, Map<String, String> environment, Class<?> main, Object... arguments)
            throws IOException {
        List<String> command = new ArrayList<>(prefix);
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"));
        command.addAll(List.of("--add-modules", "jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        for (Object argument : arguments) {
            command.add(argument.toString());
        }
        ProcessBuilder builder = new ProcessBuilder(command).directory(new File(System.getProperty("java.io.tmpdir")));
        builder.environment().putAll(environment);
        return new ChildJvm(builder.start());
    }

    public long pid() {
        return process.pid();
    }

    /** The next line that the child prints. */
    public String line() throws InterruptedException {
        String line = lines.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
        assertThat(line).as("a line of the child; its errors: " + errors()).isNotNull();
        return line;
    }

    /** The last line that the child, whose exit code was asked for, printed and nobody read; "" when there is none. */
    public String lastLine() {
        String last = "";
        for (String line = lines.poll(); line != null; line = lines.poll()) {
            last = line;
        }
        return last;
    }

    public void send(String line) throws IOException {
        process.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
        process.getOutputStream().flush();
    }

    /** Sends a signal, as STOP or KILL. */
    public void signal(String name) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder("kill", "-" + name, Long.toString(pid()))
                        .start()
                        .waitFor())
                .isZero();
    }

    /** Waits for the child to end; its exit code. */
    public int exitCode() throws InterruptedException {
        assertThat(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS))
                .as("the child ends; its errors: " + errors())
                .isTrue();
        output.join();
        errorOutput.join();
        return process.exitValue();
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** What the child wrote to standard error; all of it once its exit code was asked for. */
    public String errors() {
        return String.join("\n", errors);
    }

    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
    }
}
