package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.temporal.testserver.TestServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.process.Ports;
import pacer.activities.run.Home;
import pacer.activities.run.TestRuns;
import pacer.trainer.durable.ProcessIdentity;

/** A worker whose line to the service is dead but not closed: its trainer ends by the worker's own clock. */
@Timeout(120)
class CutOffWorkerTest {
    private static final Duration HEARTBEAT = Duration.ofSeconds(3);

    @TempDir
    private Path folder;

    @Test
    void itsTrainerEndsWhenTheServiceMustHaveGivenTheAttemptUp() throws Exception {
        Path text = TestRuns.text(folder.resolve("text.txt"), 20);
        Home home = TestRuns.home(folder);
        int port = Ports.free();
        try (TestServer.PortBoundTestServer _ = TestServer.createPortBoundServer(port);
                Line line = new Line(port)) {
            TemporalConnection direct = connection(port);
            TemporalConnection through = connection(line.port());
            Policies quick = new Policies(HEARTBEAT);
            PipelineWorker control = PipelineWorker.start(
                    direct, TestPipelines.settings(home, quick), Set.of(ServiceWorker.Role.CONTROL));
            PipelineWorker host = PipelineWorker.start(
                    through,
                    TestPipelines.settings(home, quick, "mishap=wait", "at=15"),
                    Set.of(ServiceWorker.Role.HOST));
            try (Pipeline client = Pipeline.with(home, direct, TestPipelines.settings(home), Set.of())) {
                RunHandle run = client.start(TestPipelines.layers(text), null, null, false);
                ProcessIdentity trainer = trainer(home.run(run.id()).path().resolve("attempts.json"));

                line.dies();
                long begun = System.nanoTime();
                while (trainer.find().isPresent()) {
                    assertThat(Duration.ofNanos(System.nanoTime() - begun))
                            .as("a trainer without a service")
                            .isLessThan(HEARTBEAT.multipliedBy(6));
                    Thread.sleep(20);
                }

                assertThat(Duration.ofNanos(System.nanoTime() - begun)).isGreaterThan(HEARTBEAT.dividedBy(2));
                run.stop();
                line.works();
            } finally {
                host.close();
                control.close();
                through.close();
            }
        }
    }

    /** The trainer's process, once it is written down. */
    private static ProcessIdentity trainer(Path attempts) throws IOException, InterruptedException {
        ObjectMapper mapper = new ObjectMapper();
        while (true) {
            JsonNode process = Files.exists(attempts)
                    ? mapper.readTree(attempts.toFile()).at("/attempts/0/processes/0")
                    : MissingNode.getInstance();
            if (!process.isMissingNode()) {
                return mapper.treeToValue(process, ProcessIdentity.class);
            }
            Thread.sleep(20);
        }
    }

    private static TemporalConnection connection(int port) throws IOException {
        return TemporalConnection.open(TemporalAddress.find("127.0.0.1:" + port, Map.of()));
    }

    /** A line to a port of this machine that can die as lines do whose cable is pulled: nothing passes, nothing is closed. */
    private static final class Line implements AutoCloseable {
        private final ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        private final Queue<Socket> open = new ConcurrentLinkedQueue<>();
        private volatile boolean dead;

        Line(int target) throws IOException {
            Thread.ofVirtual().start(() -> {
                while (!listener.isClosed()) {
                    try {
                        Socket client = listener.accept();
                        Socket server = new Socket(InetAddress.getLoopbackAddress(), target);
                        open.addAll(List.of(client, server));
                        Thread.ofVirtual().start(() -> pump(client, server));
                        Thread.ofVirtual().start(() -> pump(server, client));
                    } catch (IOException e) {
                        return; // closed
                    }
                }
            });
        }

        int port() {
            return listener.getLocalPort();
        }

        void dies() {
            dead = true;
        }

        void works() {
            dead = false;
        }

        private void pump(Socket from, Socket to) {
            byte[] piece = new byte[1 << 16];
            try (from;
                    to) {
                for (int count = from.getInputStream().read(piece);
                        count >= 0;
                        count = from.getInputStream().read(piece)) {
                    while (dead) {
                        Thread.sleep(20);
                    }
                    to.getOutputStream().write(piece, 0, count);
                }
            } catch (IOException e) {
                return; // either end is gone
            } catch (InterruptedException e) {
                throw new IllegalStateException("nobody interrupts this thread", e);
            }
        }

        @Override
        public void close() throws IOException {
            dead = false;
            listener.close();
            for (Socket socket : open) {
                socket.close();
            }
        }
    }
}
