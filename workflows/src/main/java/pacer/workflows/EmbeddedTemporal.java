package pacer.workflows;

import io.grpc.ManagedChannel;
import io.temporal.testserver.TestServer;

/**
 * A Temporal service inside this process, without a port, for runs that end with it: what lasts is in the run's folder, from
 * which the next start goes on. It is the service that Temporal's own tests run against, in real time.
 */
final class EmbeddedTemporal implements AutoCloseable {
    private final TestServer.InProcessTestServer server = TestServer.createServer(true);

    ManagedChannel channel() {
        return server.getChannel();
    }

    @Override
    public void close() {
        server.close();
    }
}
