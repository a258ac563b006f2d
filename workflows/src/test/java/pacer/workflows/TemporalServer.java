package pacer.workflows;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A real Temporal server for the tests of a class, from the folder that the system property {@code pacer.stack} names; else they are left out. */
final class TemporalServer implements BeforeAllCallback, AfterAllCallback {
    private static final int PATIENCE_SECONDS = 60;

    private Process process;
    private int port;

    @Override
    public void beforeAll(ExtensionContext context) throws IOException, InterruptedException {
        String stack = System.getProperty("pacer.stack", "");
        assumeTrue(
                !stack.isEmpty(),
                "no Temporal server: give -Dpacer.stack=FOLDER, one that infra/local/install has filled");
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        Path log = Files.createTempFile("pacer-temporal", ".log");
        process = new ProcessBuilder(
                        Path.of(stack, "temporal").toString(),
                        "server",
                        "start-dev",
                        "--headless",
                        "--ip",
                        "127.0.0.1",
                        "--port",
                        String.valueOf(port),
                        "--log-level",
                        "error")
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
        for (int i = 0; ; i++) {
            try {
                connect().close();
                return;
            } catch (IOException notYet) {
                if (i == PATIENCE_SECONDS || !process.isAlive()) {
                    throw new IOException("the Temporal server does not answer: " + Files.readString(log), notYet);
                }
                Thread.sleep(1000);
            }
        }
    }

    String address() {
        return "127.0.0.1:" + port;
    }

    TemporalConnection connect() throws IOException {
        return TemporalConnection.open(TemporalAddress.find(address(), Map.of()));
    }

    @Override
    public void afterAll(ExtensionContext context) throws InterruptedException {
        if (process != null) {
            process.destroy();
            process.waitFor();
        }
    }
}
