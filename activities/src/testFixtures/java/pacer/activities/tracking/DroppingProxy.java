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
import java.util.function.Predicate;

/** Stands before a server and loses the answers to some requests, which the server has done. */
public final class DroppingProxy implements AutoCloseable {
    private final HttpServer proxy;
    private final HttpClient http = HttpClient.newHttpClient();
    private final URI server;
    private final Predicate<String> drops;
    private final AtomicInteger dropped = new AtomicInteger();

    /** @param drops whether the answer to a request is lost, told as {@code POST /path} */
    public DroppingProxy(URI server, Predicate<String> drops) throws IOException {
        this.server = server;
        this.drops = drops;
        this.proxy = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        proxy.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        proxy.createContext("/", this::pass);
        proxy.start();
    }

    private void pass(HttpExchange exchange) throws IOException {
        try (exchange) {
            HttpRequest.Builder request = HttpRequest.newBuilder(server.resolve(exchange.getRequestURI()))
                    .method(
                            exchange.getRequestMethod(),
                            HttpRequest.BodyPublishers.ofByteArray(exchange.getRequestBody().readAllBytes()));
            String type = exchange.getRequestHeaders().getFirst("Content-Type");
            if (type != null) {
                request.header("Content-Type", type);
            }
            HttpResponse<byte[]> answer = http.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
            if (drops.test(exchange.getRequestMethod() + " " + exchange.getRequestURI().getPath())) {
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
