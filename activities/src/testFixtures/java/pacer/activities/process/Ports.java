package pacer.activities.process;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;

/** Ports for the servers of tests. */
public final class Ports {
    private static final int ATTEMPTS = 5;

    private Ports() {}

    /** Starts a server on ports that it finds free first. */
    @FunctionalInterface
    public interface Start {
        void start() throws IOException, InterruptedException;
    }

    /** A port of the loopback address that nobody listens on now. */
    public static int free() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /** Starts a server, again where it did not start: what was free may have been taken before the server had it. */
    public static void race(Start start) throws IOException, InterruptedException {
        for (int attempt = 1; ; attempt++) {
            try {
                start.start();
                return;
            } catch (IOException e) {
                if (attempt == ATTEMPTS) {
                    throw e;
                }
            }
        }
    }
}
