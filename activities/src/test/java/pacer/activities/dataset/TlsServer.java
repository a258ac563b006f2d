package pacer.activities.dataset;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.LockSupport;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** An https server on this machine, with a certificate of its own making. */
public final class TlsServer implements AutoCloseable {
    private static final String PASSWORD = "changeit";
    private static final SSLContext TLS = context();

    public final List<String> ranges = new CopyOnWriteArrayList<>();
    private final HttpsServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();

    public TlsServer(HttpHandler handler) throws IOException {
        server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(TLS));
        server.setExecutor(threads);
        server.createContext("/", exchange -> {
            ranges.add(String.valueOf(exchange.getRequestHeaders().getFirst("Range")));
            try (exchange) {
                handler.handle(exchange);
            }
        });
        server.start();
    }

    /** A server that gives {@code content}, and parts of it. */
    public static TlsServer of(byte[] content) throws IOException {
        return new TlsServer(exchange -> give(exchange, content, content.length));
    }

    /** Gives the part that is asked for, but ends after {@code most} bytes of the body. */
    public static void give(HttpExchange exchange, byte[] content, int most) throws IOException {
        String range = exchange.getRequestHeaders().getFirst("Range");
        int from = 0;
        int to = content.length;
        if (range != null) {
            String[] ends = range.substring("bytes=".length()).split("-", 2);
            from = Integer.parseInt(ends[0]);
            to = ends[1].isEmpty() ? to : Math.min(to, Integer.parseInt(ends[1]) + 1);
            if (from >= content.length) {
                exchange.sendResponseHeaders(416, -1);
                return;
            }
            exchange.getResponseHeaders()
                    .set("Content-Range", "bytes %d-%d/%d".formatted(from, to - 1, content.length));
        }
        exchange.sendResponseHeaders(range == null ? 200 : 206, to - from);
        OutputStream body = exchange.getResponseBody();
        body.write(content, from, Math.min(most, to - from));
        body.flush();
        if (most < to - from) { // the client's end of a line that is cut at once may never give what came over it
            LockSupport.parkNanos(300_000_000);
        }
    }

    public URI uri(String path) {
        return URI.create("https://localhost:" + server.getAddress().getPort() + path);
    }

    /** What trusts this server, and goes to this machine. */
    public static FetchSettings settings(long maxBytes, Duration stall) {
        return new FetchSettings(true, maxBytes, stall, TLS);
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }

    private static SSLContext context() {
        try {
            Path folder = Files.createTempDirectory("pacer-tls");
            Path store = folder.resolve("keys.p12");
            Process keytool = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "keytool")
                                    .toString(),
                            "-genkeypair",
                            "-alias",
                            "test",
                            "-keyalg",
                            "EC",
                            "-dname",
                            "CN=localhost",
                            "-ext",
                            "san=dns:localhost,ip:127.0.0.1",
                            "-validity",
                            "2",
                            "-storetype",
                            "PKCS12",
                            "-keystore",
                            store.toString(),
                            "-storepass",
                            PASSWORD)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            keytool.waitFor();
            KeyStore keys = KeyStore.getInstance("PKCS12");
            try (InputStream in = Files.newInputStream(store)) {
                keys.load(in, PASSWORD.toCharArray());
            }
            Files.delete(store);
            Files.delete(folder);
            KeyManagerFactory own = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            own.init(keys, PASSWORD.toCharArray());
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(keys);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(own.getKeyManagers(), trust.getTrustManagers(), null);
            return context;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (GeneralSecurityException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
