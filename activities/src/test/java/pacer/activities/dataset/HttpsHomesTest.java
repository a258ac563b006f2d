package pacer.activities.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.BadInputException;
import pacer.activities.run.TestStage;
import pacer.trainer.data.Split;
import pacer.trainer.durable.Sha256;
import pacer.trainer.spec.DatasetSpec;
import pacer.trainer.text.TextParts;

/** A file with mirrors, from real https servers. */
@Timeout(60)
class HttpsHomesTest {
    private static final byte[] CONTENT = content();
    private static final String SHA256 = Sha256.of(CONTENT);

    @TempDir
    private Path folder;

    private final TestStage stage = new TestStage();

    private static byte[] content() {
        byte[] bytes = new byte[700_001];
        new Random(2).nextBytes(bytes);
        return bytes;
    }

    private static byte[] other() {
        byte[] bytes = CONTENT.clone();
        bytes[0] ^= 1;
        return bytes;
    }

    private static DatasetSpec spec(String url, String... mirrors) {
        return new DatasetSpec(
                url,
                SHA256,
                DatasetSpec.Format.TEXT,
                DatasetSpec.Tokenizer.CHARACTERS,
                0.1,
                0,
                String.join(" ", mirrors));
    }

    private RawFiles files(FetchSettings settings) {
        return new RawFiles(folder, settings, new MavenJars(List.of(folder)), Clock.systemUTC());
    }

    private static FetchSettings settings() {
        return TlsServer.settings(1 << 20, Duration.ofSeconds(10));
    }

    private RawFile acquire(DatasetSpec spec) throws IOException, InterruptedException {
        return files(settings()).acquire(spec, stage);
    }

    private static TlsServer cut() throws IOException {
        return new TlsServer(exchange -> TlsServer.give(exchange, CONTENT, 400_000));
    }

    private static TlsServer refusing(int status) throws IOException {
        return new TlsServer(exchange -> exchange.sendResponseHeaders(status, -1));
    }

    @Test
    void theNextHomeGoesOnWhereTheOneBeforeWasCutOff() throws Exception {
        try (TlsServer mirror = cut();
                TlsServer home = TlsServer.of(CONTENT)) {
            RawFile raw = acquire(
                    spec(home.uri("/text").toString(), mirror.uri("/copy").toString()));
            assertThat(raw.path()).hasBinaryContent(CONTENT);
            // what a cut connection had in flight may be lost
            long from = Long.parseLong(home.ranges.getFirst().replaceAll("\\D", ""));
            assertThat(from).isBetween(200_000L, 400_000L);
            assertThat(stage.notices)
                    .singleElement()
                    .asString()
                    .contains(mirror.uri("/copy").toString(), "the next home is tried");
        }
    }

    @Test
    void mirrorsComeFirstAndAFolderHasTheFileByItsName() throws Exception {
        try (TlsServer mirror = TlsServer.of(CONTENT);
                TlsServer home = TlsServer.of(CONTENT)) {
            DatasetSpec spec = spec(
                    home.uri("/some/text.txt?x=1").toString(),
                    mirror.uri("/folder/").toString());
            assertThat(spec.mirrorFiles())
                    .containsExactly(mirror.uri("/folder/text.txt").toString());
            acquire(spec);
            assertThat(mirror.ranges).hasSize(1);
            assertThat(home.ranges).isEmpty();
        }
    }

    @Test
    void aMirrorWithAnotherFileIsPassedOverAlsoWhereItWasCutOff() throws Exception {
        byte[] other = other();
        try (TlsServer whole = TlsServer.of(other);
                TlsServer half = new TlsServer(exchange -> TlsServer.give(exchange, other, 400_000));
                TlsServer home = TlsServer.of(CONTENT)) {
            String own = home.uri("/text").toString();
            assertThat(acquire(spec(own, whole.uri("/a").toString())).path()).hasBinaryContent(CONTENT);
            assertThat(stage.notices)
                    .singleElement()
                    .asString()
                    .startsWith("dataset.mirrors: ")
                    .contains("SHA-256");
            Files.delete(folder.resolve(SHA256));
            home.ranges.clear();
            assertThat(acquire(spec(own, half.uri("/b").toString())).path()).hasBinaryContent(CONTENT);
            assertThat(home.ranges)
                    .as("first what was there, which did not fit")
                    .hasSize(2);
            assertThat(home.ranges.getLast()).isEqualTo("null");
        }
    }

    @Test
    void allHomesAreNamedWhereNoneHasIt() throws Exception {
        try (TlsServer gone = refusing(404);
                TlsServer down = refusing(503)) {
            String a = gone.uri("/a").toString();
            String b = gone.uri("/b").toString();
            String c = down.uri("/c").toString();
            assertThatThrownBy(() -> acquire(spec(b, a)))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContainingAll("dataset.mirrors: " + a, "dataset.url: " + b);
            assertThatThrownBy(() -> acquire(spec(b, a, c)))
                    .as("one of them may have it another time")
                    .isInstanceOf(IOException.class)
                    .hasMessageContainingAll(a, b, c);
        }
    }

    @Test
    void eachMirrorIsGuarded() throws Exception {
        try (TlsServer home = TlsServer.of(CONTENT)) {
            FetchSettings strict = new FetchSettings(
                    false, 1 << 20, Duration.ofSeconds(10), settings().trust());
            assertThatThrownBy(() -> files(strict)
                            .acquire(
                                    spec(
                                            "https://192.168.0.1/text",
                                            home.uri("/a").toString()),
                                    stage))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContainingAll("dataset.mirrors: " + home.uri("/a"), "192.168.0.1", "no public address");
            assertThat(home.ranges).isEmpty();
        }
    }

    @Test
    void aPartComesFromTheFirstHomeWhoseBytesAreRight() throws Exception {
        try (TlsServer mirror = TlsServer.of(other());
                TlsServer home = TlsServer.of(CONTENT)) {
            DatasetSpec spec =
                    spec(home.uri("/text").toString(), mirror.uri("/a").toString());
            assertThat(files(settings()).givesRanges(spec)).isTrue();
            byte[] bytes = Arrays.copyOfRange(CONTENT, 0, 1000);
            TextParts.Part part = new TextParts.Part(Split.TRAIN, 0, 1000, 1, Sha256.of(bytes));
            Path target = folder.resolve("part");
            assertThat(files(settings()).range(spec, CONTENT.length, part, true, target, (done, all) -> {}))
                    .isTrue();
            assertThat(target).hasBinaryContent(bytes);
        }
    }
}
