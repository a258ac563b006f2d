package pacer.activities.tracking;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/** Stands before a server and loses some requests, or the answers to some that the server has done. */
public final class DroppingProxy implements AutoCloseable {
    private final HttpServer proxy;
    private final HttpClient http = HttpClient.newHttpClient();
    private final URI server;
    private final Function<String, Fate> fates;
    private final AtomicInteger dropped = new AtomicInteger();

    /** What becomes of a request. */
    public enum Fate {
        PASSES,
        LOST,
        ANSWER_LOST
    }

    /** @param fates decides on each request, told as {@code POST /path} */
    public DroppingProxy(URI server, Function<String, Fate> fates) throws IOException {
        this.server = server;
        this.fates = fates;
        this.proxy = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        proxy.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        proxy.createContext("/", this::pass);
        proxy.start();
    }

    private void pass(HttpExchange exchange) throws IOException {
        try (exchange) {
            Fate fate = fates.apply(exchange.getRequestMethod() + " " + exchange.getRequestURI().getPath());
            if (fate == Fate.LOST) {
                return;
            }
            HttpRequest.Builder request = HttpRequest.newBuilder(server.resolve(exchange.getRequestURI()))
                    .method(
                            exchange.getRequestMethod(),
                            HttpRequest.BodyPublishers.ofByteArray(exchange.getRequestBody().readAllBytes()));
            String type = exchange.getRequestHeaders().getFirst("Content-Type");
            if (type != null) {
                request.header("Content-Type", type);
            }
            HttpResponse<byte[]> answer = http.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
            if (fate == Fate.ANSWER_LOST) {
                if (dropped.incrementAndGet() % 2 == 0) { // as a gateway that has lost its server
                    exchange.sendResponseHeaders(502, -1);
                }
                return;
            }
            exchange.sendResponseHeaders(answer.statusCode(), answer.body().length == 0 ? -1 : answer.body().length);
            exchange.getResponseBody().write(answer.body());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    public URI uri() {
        return URI.create("http://127.0.0.1:" + proxy.getAddress().getPort());
    }

    /** Answers lost so far. */
    public int dropped() {
        return dropped.get();
    }

    @Override
    public void close() {
        proxy.stop(0);
        http.shutdownNow();
    }
}
