package pacer.activities.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.BadInputException;
import pacer.activities.run.TestStage;
import pacer.trainer.durable.Sha256;
import pacer.trainer.spec.DatasetSpec;

class RawFilesTest {
    @TempDir
    private Path folder;

    private final TestStage stage = new TestStage();

    private RawFile acquire(String url, String sha256, long maxBytes) throws IOException, InterruptedException {
        RawFiles files = new RawFiles(
                folder.resolve("downloads"),
                TlsServer.settings(maxBytes, Duration.ofSeconds(10)),
                new MavenJars(List.of(folder.resolve("repository"))),
                Clock.systemUTC());
        return files.acquire(
                new DatasetSpec(url, sha256, DatasetSpec.Format.TEXT, DatasetSpec.Tokenizer.CHARACTERS, 0.1), stage);
    }

    private void jar(String entry, byte[] content) throws IOException {
        Path jar = folder.resolve("repository/org/example/thing/1.0/thing-1.0.jar");
        Files.createDirectories(jar.getParent());
        try (OutputStream out = Files.newOutputStream(jar);
                ZipOutputStream zip = new ZipOutputStream(out)) {
            zip.putNextEntry(new ZipEntry(entry));
            zip.write(content);
        }
    }

    @Test
    void unpacksAnEntryOfAnArtifactInTheLocalRepository() throws Exception {
        jar("a/text.txt", "some text".getBytes(StandardCharsets.UTF_8));

        RawFile raw = acquire("maven:org.example:thing:1.0!/a/text.txt", "", 1000);

        assertThat(raw.path())
                .hasContent("some text")
                .isEqualTo(folder.resolve("downloads").resolve(raw.sha256()));
        assertThat(raw.sha256()).isEqualTo(Sha256.of(raw.path(), n -> {}));
    }

    @Test
    void saysHowToGetAnArtifactThatIsNotThere() {
        assertThatThrownBy(() -> acquire("maven:org.example:thing:1.0!/a/text.txt", "", 1000))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("thing-1.0.jar is neither on the class path nor in")
                .hasMessageEndingWith("mvn dependency:get -Dtransitive=false -Dartifact=org.example:thing:1.0");
    }

    @Test
    void namesTheEntryThatAnArtifactLacks() throws Exception {
        jar("a/text.txt", new byte[0]);
        assertThatThrownBy(() -> acquire("maven:org.example:thing:1.0!/b.txt", "", 1000))
                .isInstanceOf(BadInputException.class)
                .hasMessageEndingWith("thing-1.0.jar holds no file 'b.txt'");
    }

    @Test
    void anEntryThatUnpacksToTooMuchIsCutOff() throws Exception {
        jar("zeros", new byte[10_000_000]);
        assertThatThrownBy(() -> acquire("maven:org.example:thing:1.0!/zeros", "", 1_000_000))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("is larger than 1000000 bytes");
        assertThat(folder.resolve("downloads")).isEmptyDirectory();
    }

    @Test
    void withoutANetworkTheAddressAndAWayOutAreNamed() {
        assertThatThrownBy(() -> acquire("https://nowhere.invalid/text.txt", "a".repeat(64), 1000))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("https://nowhere.invalid/text.txt: ")
                .hasMessageEndingWith("; a copy at hand serves as well: --set dataset.url=file:PATH");
    }

    @Test
    void aDownloadNeedsADigest() {
        assertThatThrownBy(() -> acquire("https://localhost/x", "", 1000))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("dataset.sha256: must be given for https://localhost/x");
    }

    @Test
    void fetchesOnceAndAgainWhenDamaged() throws Exception {
        byte[] content = "fetched text".getBytes(StandardCharsets.UTF_8);
        try (TlsServer server = TlsServer.of(content)) {
            Path expected = Files.write(folder.resolve("expected"), content);
            String sha256 = Sha256.of(expected, n -> {});
            String url = server.uri("/text").toString();

            acquire(url, sha256, 1000);
            RawFile second = acquire(url, sha256, 1000);
            assertThat(server.ranges).hasSize(1);

            Files.writeString(second.path(), "flipped text");
            RawFile third = acquire(url, sha256, 1000);
            assertThat(server.ranges).hasSize(2);
            assertThat(third.path()).hasBinaryContent(content);
            assertThat(stage.notices).singleElement().asString().endsWith("was damaged; it is fetched again");
            assertThat(stage.progress).last().satisfies(p -> assertThat(p.fraction())
                    .isEqualTo(1));
        }
    }
}
