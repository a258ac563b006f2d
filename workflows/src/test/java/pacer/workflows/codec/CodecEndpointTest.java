package pacer.workflows.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pacer.activities.run.BadInputException;

@Timeout(30)
class CodecEndpointTest {
    private static final String UI = "http://localhost:8233";
    private static final String PAYLOADS =
            "{\"payloads\":[{\"metadata\":{\"encoding\":\"anNvbi9wbGFpbg==\"},\"data\":\"ImhlbGxvIg==\"}]}";

    @TempDir
    private Path folder;

    private PayloadKeys keys;
    private CodecEndpoint endpoint;
    private final HttpClient client = HttpClient.newHttpClient();

    @BeforeEach
    void serve() throws IOException {
        Path file = folder.resolve("keys");
        NewKey.add(file, LocalDate.of(2026, 1, 1));
        keys = PayloadKeys.read(file);
        endpoint = CodecEndpoint.serve("0", Set.of(UI), keys);
    }

    @AfterEach
    void close() {
        endpoint.close();
        client.close();
    }

    private HttpRequest.Builder to(String path) {
        return HttpRequest.newBuilder(URI.create(endpoint.url() + path));
    }

    private HttpResponse<String> ask(HttpRequest.Builder request) throws IOException, InterruptedException {
        return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private HttpResponse<String> post(String path, String body) throws IOException, InterruptedException {
        return ask(to(path).header("Content-Type", "application/json; charset=utf-8")
                .POST(BodyPublishers.ofString(body)));
    }

    @Test
    void whatItEncodesItDecodes() throws Exception {
        HttpResponse<String> encoded = post("/encode", PAYLOADS);
        assertThat(encoded.statusCode()).isEqualTo(200);
        assertThat(encoded.headers().firstValue("Content-Type")).contains("application/json");
        assertThat(encoded.headers().firstValue("Cache-Control")).contains("no-store");
        assertThat(encoded.body()).contains("YmluYXJ5L2VuY3J5cHRlZA==").doesNotContain("ImhlbGxvIg==");

        assertThat(post("/decode", encoded.body()).body()).isEqualTo(PAYLOADS);
        assertThat(post("/decode", PAYLOADS).body()).isEqualTo(PAYLOADS);
        assertThat(post("/decode", "{\"payloads\":[]}").body()).isEqualTo("{}");
    }

    @Test
    void aPageOfTheUiMayAsk() throws Exception {
        HttpResponse<String> preflight = ask(to("/decode")
                .method("OPTIONS", BodyPublishers.noBody())
                .header("Origin", UI)
                .header("Access-Control-Request-Method", "POST")
                .header("Access-Control-Request-Headers", "content-type,x-namespace"));
        assertThat(preflight.statusCode()).isEqualTo(204);
        assertThat(preflight.headers().firstValue("Access-Control-Allow-Origin"))
                .contains(UI);
        assertThat(preflight.headers().firstValue("Access-Control-Allow-Methods"))
                .contains("POST, OPTIONS");
        assertThat(preflight.headers().firstValue("Access-Control-Allow-Headers"))
                .contains("Content-Type, X-Namespace, Authorization");
        assertThat(preflight.headers().firstValue("Vary")).contains("Origin");
    }

    @ParameterizedTest
    @CsvSource({"https://evil.example", "null", "http://localhost:8234", "http://localhost:8233.evil.example"})
    void aPageOfAnotherOriginIsRefused(String origin) throws Exception {
        for (HttpRequest.Builder request : new HttpRequest.Builder[] {
            to("/decode").method("OPTIONS", BodyPublishers.noBody()),
            to("/decode").header("Content-Type", "application/json").POST(BodyPublishers.ofString(PAYLOADS))
        }) {
            HttpResponse<String> answer = ask(request.header("Origin", origin));
            assertThat(answer.statusCode()).isEqualTo(403);
            assertThat(answer.headers().firstValue("Access-Control-Allow-Origin"))
                    .isEmpty();
            assertThat(answer.body()).contains("--origin").doesNotContain("payloads");
        }
    }

    @Test
    void whatIsNotAskedForRightIsRefusedWithAReason() throws Exception {
        HttpResponse<String> read = ask(to("/decode").GET());
        assertThat(read.statusCode()).isEqualTo(405);
        assertThat(read.headers().firstValue("Allow")).contains("POST, OPTIONS");
        assertThat(post("/decoder", PAYLOADS).statusCode()).isEqualTo(404);
        assertThat(post("/decode/x", PAYLOADS).statusCode()).isEqualTo(404);
        assertThat(ask(to("/decode").header("Content-Type", "text/plain").POST(BodyPublishers.ofString(PAYLOADS)))
                        .statusCode())
                .isEqualTo(415);
        assertThat(ask(to("/decode").POST(BodyPublishers.ofString(PAYLOADS))).statusCode())
                .isEqualTo(415);
        for (String body :
                new String[] {"", "[]", "nonsense", "{\"payloads\":7}", "{\"payloads\":[{\"data\":\"%\"}]}"}) {
            HttpResponse<String> answer = post("/decode", body);
            assertThat(answer.statusCode()).as(body).isEqualTo(400);
            assertThat(answer.body()).startsWith("not payloads in JSON");
        }
        HttpResponse<String> big = post("/decode", " ".repeat(CodecEndpoint.MOST_BYTES + 1));
        assertThat(big.statusCode()).isEqualTo(413);
        assertThat(ask(to("/health").GET()).body()).isEqualTo("ok\n");
    }

    @Test
    void aPayloadOfAnotherKeyIsToldByItsId() throws Exception {
        String encoded = post("/encode", PAYLOADS).body();
        Path other = folder.resolve("other");
        NewKey.add(other, LocalDate.of(2026, 5, 5));
        endpoint.close();
        endpoint = CodecEndpoint.serve("0", Set.of(UI), PayloadKeys.read(other));

        HttpResponse<String> answer = post("/decode", encoded);

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body())
                .startsWith(
                        "a payload is encrypted with key 2026-01-01, unknown to this process, which has 2026-05-05");
    }

    @Test
    void itListensOnThisMachineAndSaysWhatIsWrong() throws Exception {
        assertThat(endpoint.isLoopback()).isTrue();
        assertThat(endpoint.url()).startsWith("http://127.0.0.1:");
        assertThatThrownBy(() -> CodecEndpoint.serve("0", Set.of(UI), PayloadKeys.none()))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("PACER_PAYLOAD_KEYS names no file of keys");
        assertThatThrownBy(() -> CodecEndpoint.serve("0", Set.of(UI + "/"), keys))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("origin 'http://localhost:8233/': must be a page's scheme, host and port");
        assertThatThrownBy(() -> CodecEndpoint.serve("here", Set.of(UI), keys))
                .hasMessage("codec address 'here': must be PORT or HOST:PORT, such as 127.0.0.1:8081");
        HttpServer taken = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        String port = Integer.toString(taken.getAddress().getPort());
        assertThatThrownBy(() -> CodecEndpoint.serve(port, Set.of(UI), keys))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("codec address 127.0.0.1:" + port + " cannot be had: ")
                .hasMessageEndingWith("give another with --listen HOST:PORT or PACER_CODEC");
        taken.stop(0);
    }
}
