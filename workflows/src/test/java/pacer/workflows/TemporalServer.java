package pacer.workflows;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import pacer.activities.process.Ports;
import pacer.trainer.durable.DurableFiles;

/**
 * The real Temporal server with its UI for the tests of a class, from the folder that the system property {@code pacer.stack} names
 * ({@code infra/local/install} fills one). Tests are left out where it is not set.
 */
public final class TemporalServer implements BeforeAllCallback, AfterAllCallback {
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(60);

    private Path program;
    private Path folder;
    private Process process;
    private Thread last;
    private int port;
    private int uiPort;

    @Override
    public void beforeAll(ExtensionContext context) throws IOException, InterruptedException {
        String stack = System.getProperty("pacer.stack", "");
        assumeTrue(!stack.isEmpty(), "no Temporal: give -Dpacer.stack=FOLDER, one that infra/local/install has filled");
        program = Path.of(stack, "temporal");
        folder = Files.createTempDirectory("pacer-temporal");
        Ports.race(this::start);
    }

    private void start() throws IOException, InterruptedException {
        port = Ports.free();
        uiPort = Ports.free();
        List<String> command = new ArrayList<>(List.of(program.toString(), "server", "start-dev"));
        command.addAll(List.of("--ip", "127.0.0.1", "--log-level", "error"));
        command.addAll(List.of("--port", "" + port, "--ui-port", "" + uiPort, "--metrics-port", "" + Ports.free()));
        SearchAttributes.types()
                .forEach((name, type) -> command.addAll(List.of("--search-attribute", name + "=" + type)));
        process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("log").toFile())
                .start();
        last = new Thread(process::destroyForcibly);
        Runtime.getRuntime().addShutdownHook(last);
        long deadline = System.nanoTime() + PATIENCE;
        while (!answers("operator", "cluster", "health") || !answers("operator", "namespace", "describe", "default")) {
            if (System.nanoTime() > deadline || !process.isAlive()) {
                process.destroyForcibly().waitFor();
                throw new IOException("Temporal does not answer: " + Files.readString(folder.resolve("log")));
            }
            Thread.sleep(100);
        }
    }

    private boolean answers(String... arguments) throws IOException, InterruptedException {
        return start(arguments).waitFor() == 0;
    }

    private Process start(String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(program.toString()));
        command.addAll(List.of(arguments));
        command.addAll(List.of("--address", address()));
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("answer").toFile())
                .start();
    }

    public String address() {
        return "127.0.0.1:" + port;
    }

    /** Where its UI is. */
    public String uiAddress() {
        return "http://127.0.0.1:" + uiPort;
    }

    public TemporalConnection connect() throws IOException {
        return TemporalConnection.open(TemporalAddress.find(address(), Map.of()));
    }

    /** What Temporal's own command line prints. */
    public String temporal(String... arguments) throws IOException, InterruptedException {
        int code = start(arguments).waitFor();
        String answer = Files.readString(folder.resolve("answer"));
        if (code != 0) {
            throw new IOException("temporal " + String.join(" ", arguments) + ": " + answer);
        }
        return answer;
    }

    /** What the UI's own server answers. */
    public String ui(String path) throws IOException, InterruptedException {
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpRequest question = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + uiPort + path))
                    .build();
            HttpResponse<String> answer = client.send(question, HttpResponse.BodyHandlers.ofString());
            if (answer.statusCode() != 200) {
                throw new IOException(path + ": " + answer.statusCode() + " " + answer.body());
            }
            return answer.body();
        }
    }

    @Override
    public void afterAll(ExtensionContext context) throws IOException {
        if (process == null) {
            return;
        }
        process.destroyForcibly();
        try {
            process.waitFor();
            Runtime.getRuntime().removeShutdownHook(last);
            DurableFiles.deleteTree(folder);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
