package pacer.workflows.http;

import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import pacer.activities.run.BadInputException;

/** The JDK's HTTP server at an address that the user gave, with {@code /health} for whoever starts it. */
public final class HttpListener implements AutoCloseable {
    private static final Pattern ADDRESS = Pattern.compile("(?:(\\[[0-9A-Fa-f:]+]|[A-Za-z0-9._-]+):)?([0-9]{1,5})");

    private final HttpServer server;
    private final ExecutorService threads;

    private HttpListener(HttpServer server, int threads) {
        this.server = server;
        this.threads = Executors.newFixedThreadPool(
                threads, Thread.ofPlatform().daemon().factory());
        server.setExecutor(this.threads);
        handle("/health", exchange -> {
            try (exchange) {
                byte[] answer = "ok\n".getBytes(StandardCharsets.UTF_8);
                exchange.sendResponseHeaders(200, answer.length);
                exchange.getResponseBody().write(answer);
            }
        });
    }

    /**
     * Has {@code address}, {@code HOST:PORT} or a port of the loopback address; answers once {@link #serve} is called.
     *
     * @param what listens there, for messages
     * @param example of an address
     * @param settings that name another one
     * @throws BadInputException when it is none, or cannot be had
     */
    public static HttpListener at(String address, String what, String example, String settings, int threads)
            throws IOException {
        Matcher parts = ADDRESS.matcher(address.strip());
        if (!parts.matches() || Integer.parseInt(parts.group(2)) > 65_535) {
            throw new BadInputException(
                    "%s address '%s': must be PORT or HOST:PORT, such as %s".formatted(what, address, example));
        }
        String host = parts.group(1) == null ? "127.0.0.1" : parts.group(1).replaceAll("[\\[\\]]", "");
        InetSocketAddress place = new InetSocketAddress(InetAddress.getByName(host), Integer.parseInt(parts.group(2)));
        try {
            return new HttpListener(HttpServer.create(place, 0), threads);
        } catch (IOException e) {
            throw new BadInputException(
                    "%s address %s:%d cannot be had: %s; give another with %s"
                            .formatted(what, place.getHostString(), place.getPort(), e.getMessage(), settings),
                    e);
        }
    }

    /** Has {@code handler} answer what is asked below {@code path}. */
    public void handle(String path, HttpHandler handler) {
        server.createContext(path, handler);
    }

    /** Answers from now on. */
    public void serve() {
        server.start();
    }

    /** Whether nobody but this machine reaches it. */
    public boolean isLoopback() {
        return server.getAddress().getAddress().isLoopbackAddress();
    }

    /** Where it listens. */
    public String url() {
        InetSocketAddress at = server.getAddress();
        String host = at.getAddress().getHostAddress();
        return "http://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + at.getPort();
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
