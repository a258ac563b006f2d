package pacer.workflows.codec;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import com.sun.net.httpserver.HttpExchange;
import io.temporal.api.common.v1.Payload;
import io.temporal.api.common.v1.Payloads;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import pacer.activities.run.BadInputException;
import pacer.workflows.http.HttpListener;

/**
 * Decrypts for people what a Temporal service cannot: {@code POST /decode} and {@code POST /encode}, as Temporal's UI and command line ask for it. Pages of other
 * origins than those given are refused; whoever else reaches the address is answered.
 */
public final class CodecEndpoint implements AutoCloseable {
    /** Above what a page of a history holds. */
    static final int MOST_BYTES = 32 << 20;

    private static final Pattern ORIGIN = Pattern.compile("https?://[A-Za-z0-9.:\\[\\]-]+");
    private static final int THREADS = 4;

    private final HttpListener listener;
    private final Set<String> origins;

    private CodecEndpoint(HttpListener listener, Set<String> origins, PayloadEncryption codec) {
        this.listener = listener;
        this.origins = origins;
        listener.handle("/encode", exchange -> answer(exchange, "/encode", codec::encode));
        listener.handle("/decode", exchange -> answer(exchange, "/decode", codec::decode));
    }

    /**
     * Answers at {@code address}, {@code HOST:PORT} or a port of the loopback address, from now on.
     *
     * @param origins of pages that may ask, such as {@code http://localhost:8233}
     * @throws BadInputException when there is no key, an origin is none, or the address cannot be had
     */
    public static CodecEndpoint serve(String address, Set<String> origins, PayloadKeys keys) throws IOException {
        if (keys.isEmpty()) {
            throw new BadInputException(
                    PayloadKeys.VARIABLE
                            + " names no file of keys, so there is nothing to decode; make one with: pacer codec --new-key FILE");
        }
        for (String origin : origins) {
            if (!ORIGIN.matcher(origin).matches()) {
                throw new BadInputException("origin '" + origin
                        + "': must be a page's scheme, host and port without a path, such as http://localhost:8233");
            }
        }
        HttpListener listener =
                HttpListener.at(address, "codec", "127.0.0.1:8081", "--listen HOST:PORT or PACER_CODEC", THREADS);
        CodecEndpoint endpoint = new CodecEndpoint(listener, Set.copyOf(origins), new PayloadEncryption(keys));
        listener.serve();
        return endpoint;
    }

    /** Where it listens. */
    public String url() {
        return listener.url();
    }

    /** Whether nobody but this machine reaches it. */
    public boolean isLoopback() {
        return listener.isLoopback();
    }

    private void answer(HttpExchange exchange, String path, UnaryOperator<List<Payload>> codec) throws IOException {
        try (exchange) {
            String origin = exchange.getRequestHeaders().getFirst("Origin");
            if (origin != null && !origins.contains(origin)) {
                // not only left without the header: a page of any site could have payloads encoded
                tell(exchange, 403, "pages of this origin may not ask here; allow them with: pacer codec --origin");
                return;
            }
            if (origin != null) {
                exchange.getResponseHeaders().set("Access-Control-Allow-Origin", origin);
                exchange.getResponseHeaders().set("Vary", "Origin");
            }
            if (!exchange.getRequestURI().getPath().equals(path)) {
                tell(exchange, 404, "there is /encode and /decode");
                return;
            }
            switch (exchange.getRequestMethod()) {
                case "OPTIONS" -> preflight(exchange);
                case "POST" -> convert(exchange, codec);
                default -> {
                    exchange.getResponseHeaders().set("Allow", "POST, OPTIONS");
                    tell(exchange, 405, "only POST is answered");
                }
            }
        }
    }

    private static void preflight(HttpExchange exchange) throws IOException {
        exchange.getResponseHeaders().set("Access-Control-Allow-Methods", "POST, OPTIONS");
        exchange.getResponseHeaders().set("Access-Control-Allow-Headers", "Content-Type, X-Namespace, Authorization");
        exchange.getResponseHeaders().set("Access-Control-Max-Age", "600");
        exchange.sendResponseHeaders(204, -1);
    }

    private static void convert(HttpExchange exchange, UnaryOperator<List<Payload>> codec) throws IOException {
        String type = String.valueOf(exchange.getRequestHeaders().getFirst("Content-Type"));
        if (!type.replaceFirst(";.*", "").strip().toLowerCase(Locale.ROOT).equals("application/json")) {
            tell(exchange, 415, "Content-Type must be application/json");
            return;
        }
        byte[] body = exchange.getRequestBody().readNBytes(MOST_BYTES + 1);
        if (body.length > MOST_BYTES) {
            tell(exchange, 413, "more than " + MOST_BYTES + " bytes; ask for fewer payloads at a time");
            return;
        }
        Payloads.Builder given = Payloads.newBuilder();
        try {
            JsonFormat.parser().ignoringUnknownFields().merge(new String(body, StandardCharsets.UTF_8), given);
        } catch (InvalidProtocolBufferException e) {
            tell(exchange, 400, "not payloads in JSON, {\"payloads\": [...]}: " + e.getMessage());
            return;
        }
        List<Payload> converted;
        try {
            converted = codec.apply(given.getPayloadsList());
        } catch (BadInputException e) {
            tell(exchange, 400, e.getMessage());
            return;
        }
        String json = JsonFormat.printer()
                .omittingInsignificantWhitespace()
                .print(Payloads.newBuilder().addAllPayloads(converted));
        send(exchange, 200, "application/json", json);
    }

    private static void tell(HttpExchange exchange, int status, String text) throws IOException {
        send(exchange, status, "text/plain; charset=utf-8", text + "\n");
    }

    private static void send(HttpExchange exchange, int status, String type, String text) throws IOException {
        byte[] answer = text.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", type);
        exchange.getResponseHeaders().set("Cache-Control", "no-store");
        exchange.sendResponseHeaders(status, answer.length);
        exchange.getResponseBody().write(answer);
    }

    @Override
    public void close() {
        listener.close();
    }
}
