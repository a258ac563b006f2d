package pacer.activities.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.BadInputException;
import pacer.activities.run.RunFolder;
import pacer.activities.run.TestStage;
import pacer.trainer.durable.Sha256;
import pacer.trainer.spec.HellaSwagSpec;

@Timeout(60)
class HellaSwagFileTest {
    private static final byte[] EXAMPLES = "{\"ctx\": \"A\"}\n".repeat(1000).getBytes(StandardCharsets.UTF_8);
    private static final String DIGEST = Sha256.of(EXAMPLES);

    @TempDir
    private Path temp;

    private final TestStage stage = new TestStage();

    @Test
    void comesOnceIsProvenAndKeptByItsDigestForItsRuns() throws Exception {
        try (TlsServer server = TlsServer.of(EXAMPLES)) {
            HellaSwagSpec spec = spec(server.uri("/val.jsonl").toString(), DIGEST);
            Path file = files().bring(spec, run(), stage);
            assertThat(file)
                    .isEqualTo(temp.resolve("downloads").resolve(DIGEST))
                    .hasBinaryContent(EXAMPLES);
            assertThat(temp.resolve("downloads").resolve(DIGEST + ".runs")).isDirectoryContaining("glob:**one");
            int asked = server.ranges.size();
            assertThat(files().bring(spec, run(), stage)).isEqualTo(file);
            assertThat(server.ranges).hasSize(asked);

            Files.writeString(file, "damaged");
            assertThat(files().bring(spec, run(), stage)).hasBinaryContent(EXAMPLES);
            assertThat(stage.notices).anyMatch(notice -> notice.contains("was damaged; it is fetched again"));
        }
    }

    @Test
    void otherBytesThanThePinnedOnesAreRefused() throws Exception {
        try (TlsServer server = TlsServer.of(EXAMPLES)) {
            HellaSwagSpec spec = spec(server.uri("/val.jsonl").toString(), Sha256.of("other"));
            assertThatThrownBy(() -> files().bring(spec, run(), stage))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining(DIGEST)
                    .hasMessageEndingWith("; a copy at hand serves as well: --set hellaSwag.from=file:PATH");
            assertThat(temp.resolve("downloads").resolve(spec.sha256())).doesNotExist();
        }
    }

    @Test
    void aFileOfThisMachineStaysWhereItIs() throws Exception {
        Path own = Files.write(temp.resolve("own.jsonl"), EXAMPLES);
        try (TlsServer server = TlsServer.of(EXAMPLES)) {
            HellaSwagFile files = files();
            assertThat(files.bring(spec("file:" + own, DIGEST), run(), stage)).isEqualTo(own);
            assertThat(files.bring(spec("file://" + own, ""), run(), stage)).isEqualTo(own);
            assertThatThrownBy(() -> files.bring(spec("file:" + own, Sha256.of("other")), run(), stage))
                    .hasMessage(
                            "hellaSwag.sha256: %s has %s, expected %s; for other examples give --set hellaSwag.sha256= too"
                                    .formatted(own, DIGEST, Sha256.of("other")));
            assertThatThrownBy(() -> files.bring(spec("file:" + temp, ""), run(), stage))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining(temp + " is no file; give the path of");
            assertThatThrownBy(() -> files.bring(spec("file:" + temp.resolve("gone"), ""), run(), stage))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("gone does not exist");
            assertThat(server.ranges).isEmpty();
        }
    }

    private static HellaSwagSpec spec(String from, String sha256) {
        return new HellaSwagSpec(10, 0, from, sha256);
    }

    private RunFolder run() {
        return new RunFolder(temp.resolve("runs").resolve("one"));
    }

    private HellaSwagFile files() {
        return new HellaSwagFile(
                temp.resolve("downloads"), TlsServer.settings(1 << 24, Duration.ofSeconds(10)), Clock.systemUTC());
    }
}
