package pacer.activities.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.BadInputException;
import pacer.activities.run.TestStage;
import pacer.activities.store.Content;
import pacer.activities.store.FaultProxy;
import pacer.activities.store.ObjectStore;
import pacer.activities.store.S3Address;
import pacer.activities.store.S3Server;
import pacer.activities.store.S3Settings;
import pacer.activities.store.TransferListener;
import pacer.trainer.durable.Sha256;
import pacer.trainer.spec.DatasetSpec;

class S3DownloadTest {
    private static final String URL = "s3://" + S3Server.BUCKET + "/texts/a.txt";

    @RegisterExtension
    private static final S3Server SERVER = new S3Server();

    @TempDir
    private Path folder;

    private final TestStage stage = new TestStage();
    private final byte[] text = new byte[3_000_000];
    private final String sha256;
    private FaultProxy proxy;
    private RawFiles files;

    S3DownloadTest() {
        new Random(1).nextBytes(text);
        sha256 = Sha256.of(text);
    }

    @BeforeEach
    void prepare() throws IOException, InterruptedException {
        Map<String, String> direct = SERVER.environment("");
        try (ObjectStore bucket = new ObjectStore(new S3Address(S3Server.BUCKET, ""), S3Settings.of(direct))) {
            bucket.replace("texts/a.txt", Content.of(text), TransferListener.NOBODY);
        }
        proxy = new FaultProxy(SERVER.uri());
        files = new RawFiles(
                folder,
                FetchSettings.of(S3Server.environment(proxy.uri(), "")),
                MavenJars.standard(),
                Clock.systemUTC());
    }

    @AfterEach
    void close() {
        proxy.close();
    }

    private RawFile acquire(String url, String sha256) throws IOException, InterruptedException {
        return files.acquire(
                new DatasetSpec(url, sha256, DatasetSpec.Format.TEXT, DatasetSpec.Tokenizer.CHARACTERS, 0.1), stage);
    }

    @Test
    void comesUnderItsDigestAndIsNotFetchedTwice() throws Exception {
        RawFile file = acquire(URL, sha256);
        assertThat(file.path()).isEqualTo(folder.resolve(sha256)).hasBinaryContent(text);
        int asked = proxy.requests().size();
        assertThat(acquire(URL, sha256).path()).isEqualTo(file.path());
        assertThat(proxy.requests()).hasSize(asked);
    }

    @Test
    void theServersDigestPinsItWhereNoneIsGiven() throws Exception {
        assertThat(acquire(URL, "").sha256()).isEqualTo(sha256);
    }

    @Test
    void goesOnWhereAnEarlierAttemptEnded() throws Exception {
        proxy.cutAnswer("GET", 2_000_000, 1);
        proxy.answer("GET", 500, 6);
        assertThatThrownBy(() -> acquire(URL, sha256))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("500");
        long had = Files.size(folder.resolve(sha256 + ".part"));
        assertThat(had).isGreaterThan(1_000_000);
        assertThat(acquire(URL, sha256).path()).hasBinaryContent(text);
        assertThat(proxy.requests().getLast()).endsWith(" from " + had);
    }

    @Test
    void anotherDigestAMissingObjectAndABadAddressAreSaid() {
        assertThatThrownBy(() -> acquire(URL, "0".repeat(64)))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining(URL + " has SHA-256 " + sha256 + ", expected 000");
        assertThatThrownBy(() -> acquire("s3://" + S3Server.BUCKET + "/none", sha256))
                .isInstanceOf(BadInputException.class)
                .hasMessage("dataset.url: there is no s3://pacer/none");
        assertThatThrownBy(() -> acquire("s3://no-such-bucket/x", sha256)).isInstanceOf(Exception.class);
        assertThatThrownBy(() -> acquire("s3://" + S3Server.BUCKET, sha256))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("names no object");
    }
}
