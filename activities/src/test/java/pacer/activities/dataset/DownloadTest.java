package pacer.activities.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpHandler;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import pacer.activities.run.BadInputException;
import pacer.trainer.durable.Sha256;

@Timeout(30)
class DownloadTest {
    private static final byte[] CONTENT = content();
    private static final String SHA256 = Sha256.of(CONTENT);

    @TempDir
    private Path folder;

    private static byte[] content() {
        byte[] bytes = new byte[700_001];
        new Random(1).nextBytes(bytes);
        return bytes;
    }

    private Path target() {
        return folder.resolve("raw");
    }

    private Path part() {
        return folder.resolve("raw.part");
    }

    private void fetch(TlsServer server, String sha256) throws IOException, InterruptedException {
        fetch(server, sha256, TlsServer.settings(1 << 20, Duration.ofSeconds(10)));
    }

    private void fetch(TlsServer server, String sha256, FetchSettings settings)
            throws IOException, InterruptedException {
        new Download(settings).fetch(server.uri("/file"), sha256, target(), (bytes, total) -> {});
    }

    @Test
    void bringsTheFileAndProvesIt() throws Exception {
        try (TlsServer server = TlsServer.of(CONTENT)) {
            fetch(server, SHA256);
        }
        assertThat(target()).hasBinaryContent(CONTENT);
        assertThat(part()).doesNotExist();
    }

    @Test
    void goesOnWhereACutConnectionEnded() throws Exception {
        AtomicInteger request = new AtomicInteger();
        HttpHandler cutting = exchange ->
                TlsServer.give(exchange, CONTENT, request.incrementAndGet() <= 2 ? 200_000 : CONTENT.length);
        try (TlsServer server = new TlsServer(cutting)) {
            for (int attempt = 1; attempt <= 2; attempt++) {
                assertThatThrownBy(() -> fetch(server, SHA256)).isInstanceOf(IOException.class);
            }
            fetch(server, SHA256);
            // what a cut connection had in flight may be lost, nothing before it
            List<Long> from = server.ranges.stream()
                    .skip(1)
                    .map(range -> Long.parseLong(range.replaceAll("\\D", "")))
                    .toList();
            assertThat(from).hasSize(2).isSorted().doesNotHaveDuplicates().allMatch(at -> at > 100_000);
        }
        assertThat(target()).hasBinaryContent(CONTENT);
    }

    @Test
    void whatIsThereIsReadBeforeTheServerIsAskedAndCanBeBrokenOff() throws Exception {
        Files.write(part(), Arrays.copyOf(CONTENT, 600_000));
        try (TlsServer server = TlsServer.of(CONTENT)) {
            Download download = new Download(TlsServer.settings(1 << 20, Duration.ofSeconds(10)));
            assertThatThrownBy(() -> download.fetch(server.uri("/file"), SHA256, target(), (bytes, total) -> {
                        throw new IllegalStateException("stopped at " + bytes);
                    }))
                    .hasMessageStartingWith("stopped at 2");
            assertThat(server.ranges).isEmpty();
        }
    }

    @Test
    void startsOverWhereTheServerKnowsNoRanges() throws Exception {
        Files.write(part(), new byte[1000]);
        HttpHandler whole = exchange -> {
            exchange.sendResponseHeaders(200, CONTENT.length);
            exchange.getResponseBody().write(CONTENT);
        };
        try (TlsServer server = new TlsServer(whole)) {
            fetch(server, SHA256);
        }
        assertThat(target()).hasBinaryContent(CONTENT);
    }

    @Test
    void aPartThatIsWholeNeedsNoMoreBytes() throws Exception {
        Files.write(part(), CONTENT);
        try (TlsServer server = TlsServer.of(CONTENT)) {
            fetch(server, SHA256);
        }
        assertThat(target()).hasBinaryContent(CONTENT);
    }

    @Test
    void aPartOfSomethingElseIsThrownAwayAndTheNextAttemptFetchesAll() throws Exception {
        Files.write(part(), new byte[1000]);
        try (TlsServer server = TlsServer.of(CONTENT)) {
            assertThatThrownBy(() -> fetch(server, SHA256))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("it is fetched whole");
            fetch(server, SHA256);
        }
        assertThat(target()).hasBinaryContent(CONTENT);
    }

    @Test
    void anotherFileThanExpectedIsRefusedForGood() throws Exception {
        String other = "0".repeat(64);
        try (TlsServer server = TlsServer.of(CONTENT)) {
            assertThatThrownBy(() -> fetch(server, other))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("has SHA-256 " + SHA256 + ", expected " + other);
        }
        assertThat(folder).isEmptyDirectory();
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 401, 403, 404, 410, 501})
    void answersThatStayAreNotTriedAgain(int status) throws Exception {
        try (TlsServer server = new TlsServer(exchange -> exchange.sendResponseHeaders(status, -1))) {
            assertThatThrownBy(() -> fetch(server, SHA256))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageEndingWith("the server answers " + status);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {408, 429, 500, 502, 503, 504})
    void answersThatMayPassAre(int status) throws Exception {
        try (TlsServer server = new TlsServer(exchange -> exchange.sendResponseHeaders(status, -1))) {
            assertThatThrownBy(() -> fetch(server, SHA256))
                    .isInstanceOf(IOException.class)
                    .hasMessageEndingWith("the server answers " + status);
        }
    }

    @Test
    void followsARedirect() throws Exception {
        HttpHandler redirecting = exchange -> {
            if (exchange.getRequestURI().getPath().equals("/file")) {
                exchange.getResponseHeaders().set("Location", "/elsewhere");
                exchange.sendResponseHeaders(302, -1);
            } else {
                TlsServer.give(exchange, CONTENT, CONTENT.length);
            }
        };
        try (TlsServer server = new TlsServer(redirecting)) {
            fetch(server, SHA256);
        }
        assertThat(target()).hasBinaryContent(CONTENT);
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://localhost/x", "file:///etc/passwd", "https://user:pw@localhost/x"})
    void aRedirectIsCheckedLikeTheFirstAddress(String location) throws Exception {
        HttpHandler redirecting = exchange -> {
            exchange.getResponseHeaders().set("Location", location);
            exchange.sendResponseHeaders(302, -1);
        };
        try (TlsServer server = new TlsServer(redirecting)) {
            assertThatThrownBy(() -> fetch(server, SHA256)).isInstanceOf(BadInputException.class);
            assertThat(server.ranges).hasSize(1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"https://[broken/x", "/a b", ""})
    void aRedirectToNoUrlIsRefusedForGood(String location) throws Exception {
        HttpHandler redirecting = exchange -> {
            exchange.getResponseHeaders().set("Location", location);
            exchange.sendResponseHeaders(302, -1);
        };
        try (TlsServer server = new TlsServer(redirecting)) {
            assertThatThrownBy(() -> fetch(server, SHA256))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageStartingWith("dataset.url: " + server.uri("/file") + " redirects to '" + location + "'");
        }
    }

    @Test
    void aServerThatIsNotThereIsNamed() throws Exception {
        TlsServer server = TlsServer.of(CONTENT);
        server.close();
        assertThatThrownBy(() -> fetch(server, SHA256))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith(server.uri("/file") + ": no connection (")
                .hasMessageNotContaining("null");
    }

    @Test
    void aLoopOfRedirectsEnds() throws Exception {
        HttpHandler looping = exchange -> {
            exchange.getResponseHeaders().set("Location", "/file");
            exchange.sendResponseHeaders(301, -1);
        };
        try (TlsServer server = new TlsServer(looping)) {
            assertThatThrownBy(() -> fetch(server, SHA256))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageEndingWith("redirects more than 5 times");
        }
    }

    @Test
    void addressesOfThisMachineAreRefusedUnlessAllowed() throws Exception {
        FetchSettings standard = FetchSettings.of(Map.of());
        try (TlsServer server = TlsServer.of(CONTENT)) {
            assertThatThrownBy(() -> fetch(server, SHA256, standard))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("no public address");
            assertThat(server.ranges).isEmpty();
        }
    }

    @Test
    void aFileThatSaysItIsTooLargeIsRefusedAtOnce() throws Exception {
        try (TlsServer server = TlsServer.of(CONTENT)) {
            assertThatThrownBy(() -> fetch(server, SHA256, TlsServer.settings(1000, Duration.ofSeconds(10))))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageEndingWith("is larger than 1000 bytes");
        }
    }

    @Test
    void anEndlessBodyIsCutOff() throws Exception {
        HttpHandler endless = exchange -> {
            exchange.sendResponseHeaders(200, 0); // chunked
            byte[] chunk = new byte[100_000];
            while (true) {
                exchange.getResponseBody().write(chunk);
            }
        };
        try (TlsServer server = new TlsServer(endless)) {
            assertThatThrownBy(() -> fetch(server, SHA256))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageEndingWith("is larger than 1048576 bytes");
        }
        assertThat(Files.size(part())).isLessThanOrEqualTo(1 << 20);
    }

    @Test
    void aConnectionThatBringsNothingIsGivenUp() throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        HttpHandler stalling = exchange -> {
            exchange.sendResponseHeaders(200, CONTENT.length);
            exchange.getResponseBody().write(CONTENT, 0, 1000);
            exchange.getResponseBody().flush();
            try {
                end.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        };
        try (TlsServer server = new TlsServer(stalling)) {
            assertThatThrownBy(() -> fetch(server, SHA256, TlsServer.settings(1 << 20, Duration.ofMillis(300))))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("nothing came for");
            end.countDown();
        }
        assertThat(part()).hasSize(1000);
    }

    @Test
    void anEncodedBodyIsRefused() throws Exception {
        HttpHandler zipping = exchange -> {
            exchange.getResponseHeaders().set("Content-Encoding", "gzip");
            exchange.sendResponseHeaders(200, 10);
            exchange.getResponseBody().write(new byte[10]);
        };
        try (TlsServer server = new TlsServer(zipping)) {
            assertThatThrownBy(() -> fetch(server, SHA256))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("comes as gzip");
        }
    }

    @Test
    void endsWhenItsListenerSaysSo() throws Exception {
        Download download = new Download(TlsServer.settings(1 << 20, Duration.ofSeconds(10)));
        try (TlsServer server = TlsServer.of(CONTENT)) {
            assertThatThrownBy(() -> download.fetch(server.uri("/file"), SHA256, target(), (bytes, total) -> {
                        assertThat(total).hasValue(CONTENT.length);
                        if (bytes > 300_000) {
                            throw new IllegalStateException("enough");
                        }
                    }))
                    .hasMessage("enough");
        }
        byte[] there = Files.readAllBytes(part());
        assertThat(there).hasSizeGreaterThan(300_000).isEqualTo(Arrays.copyOf(CONTENT, there.length));
    }
}
