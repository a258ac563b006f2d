package pacer.activities.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpHandler;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.dataset.FetchSettings;
import pacer.activities.dataset.TlsServer;
import pacer.activities.run.BadInputException;
import pacer.activities.run.RunFolder;
import pacer.activities.run.TestStage;
import pacer.trainer.checkpoint.ElementType;
import pacer.trainer.checkpoint.Gpt2Export;
import pacer.trainer.checkpoint.Gpt2Folder;
import pacer.trainer.checkpoint.TensorSource;
import pacer.trainer.ops.Operations.Activation;
import pacer.trainer.spec.ModelSpec;
import pacer.trainer.spec.WeightsSpec;

@Timeout(60)
class WeightFoldersTest {
    private static final ModelSpec MODEL = ModelSpec.gpt2(2, 2, 16, 8, 11, true, Activation.GELU_TANH, 1e-5, 0, true);

    @TempDir
    private Path temp;

    private final TestStage stage = new TestStage();
    private Path published;

    @BeforeEach
    void publish() throws IOException {
        published = temp.resolve("published");
        write(published, 0, 1);
    }

    private RunFolder run() {
        return new RunFolder(temp.resolve("runs").resolve("one"));
    }

    @Test
    void comesOnceIsProvenAndKeptByItsDigest() throws Exception {
        try (TlsServer server = new TlsServer(files())) {
            WeightsSpec spec = of(server, digest(published));
            Path folder = folders().bring(spec, MODEL, run(), stage);
            assertThat(folder).isEqualTo(temp.resolve("cache").resolve(digest(published)));
            assertSame(folder);
            int asked = server.ranges.size();
            assertThat(folders().bring(spec, MODEL, run(), stage)).isEqualTo(folder);
            assertThat(server.ranges).hasSize(asked);

            byte[] bytes = Files.readAllBytes(folder.resolve("model.safetensors"));
            bytes[bytes.length - 1] ^= 1;
            Files.write(folder.resolve("model.safetensors"), bytes);
            assertThat(folders().bring(spec, MODEL, run(), stage)).isEqualTo(folder);
            assertSame(folder);
            assertThat(stage.notices).anyMatch(notice -> notice.contains("was damaged; it is fetched again"));
        }
    }

    @Test
    void goesOnWhereItWasCutOff() throws Exception {
        AtomicInteger answers = new AtomicInteger();
        HttpHandler cut = exchange -> {
            boolean weights = exchange.getRequestURI().getPath().endsWith("model.safetensors");
            byte[] content = Files.readAllBytes(file(exchange.getRequestURI().getPath()));
            TlsServer.give(exchange, content, weights && answers.incrementAndGet() == 1 ? 5_000 : content.length);
        };
        HttpHandler tagged = exchange -> {
            exchange.getResponseHeaders().set("ETag", "\"1\""); // as the hub sends it; else it might be another file
            cut.handle(exchange);
        };
        try (TlsServer server = new TlsServer(tagged)) {
            WeightsSpec spec = of(server, digest(published));
            assertThatThrownBy(() -> folders().bring(spec, MODEL, run(), stage))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("model.safetensors");
            assertSame(folders().bring(spec, MODEL, run(), stage));
            assertThat(server.ranges.getLast()).startsWith("bytes=").isNotEqualTo("bytes=0-");
        }
    }

    @Test
    void weightsInSeveralFilesComeByTheirIndex() throws Exception {
        published = temp.resolve("divided");
        write(published, 6_000, 1);
        try (TlsServer server = new TlsServer(files())) {
            Path folder = folders().bring(of(server, digest(published)), MODEL, run(), stage);
            try (Gpt2Folder opened = Gpt2Folder.open(folder)) {
                assertThat(opened.model()).isEqualTo(MODEL);
            }
            assertThat(folder.resolve("model.safetensors")).doesNotExist();
        }
    }

    /** An index that names files elsewhere would have them written there. */
    @Test
    void anIndexThatNamesFilesElsewhereIsRefused() throws Exception {
        published = temp.resolve("divided");
        write(published, 6_000, 1);
        Path index = published.resolve("model.safetensors.index.json");
        Files.writeString(index, Files.readString(index).replace("\"model-00001-of", "\"../../model-00001-of"));
        try (TlsServer server = new TlsServer(files())) {
            assertThatThrownBy(() -> folders().bring(of(server, "0".repeat(64)), MODEL, run(), stage))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("must be the plain name of a .safetensors file beside the index");
        }
        try (var files = Files.list(temp)) {
            assertThat(files).noneMatch(file -> file.toString().endsWith(".safetensors"));
        }
    }

    @Test
    void otherWeightsThanThoseExpectedAreRefused() throws Exception {
        try (TlsServer server = new TlsServer(files())) {
            assertThatThrownBy(() -> folders().bring(of(server, "ab".repeat(32)), MODEL, run(), stage))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("weights.sha256: ")
                    .hasMessageContaining("has " + digest(published) + ", expected abab");
        }
        WeightsSpec here = new WeightsSpec("file:" + published, "ab".repeat(32));
        assertThatThrownBy(() -> folders().bring(here, MODEL, run(), stage))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("weights.sha256: " + published + " has ");
        WeightsSpec right = new WeightsSpec("file:" + published, digest(published));
        assertThat(folders().bring(right, MODEL.withVocabulary(0), run(), stage))
                .isEqualTo(published);
    }

    /** Without a digest the first one counts. */
    @Test
    void whatChangesAtItsHomeIsRefused() throws Exception {
        try (TlsServer server = new TlsServer(files())) {
            WeightsSpec spec = of(server, "");
            Path folder = folders().bring(spec, MODEL, run(), stage);
            assertThat(stage.notices)
                    .anyMatch(notice -> notice.contains("are taken as they came, SHA-256 " + digest(folder)));
            published = temp.resolve("other");
            write(published, 0, 2);
            assertThat(folders().bring(spec, MODEL, run(), stage)).isEqualTo(folder);
            Files.delete(folder.resolve("model.safetensors"));
            Files.write(folder.resolve("model.safetensors"), new byte[3]);
            assertThatThrownBy(() -> folders().bring(spec, MODEL, run(), stage))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("it was pinned when it came first: to trust the new one delete ");
        }
    }

    /** Said before the weights come, which may have gigabytes. */
    @Test
    void weightsOfAnotherNetworkAreRefusedByTheirConfiguration() throws Exception {
        ModelSpec other = ModelSpec.gpt2(3, 2, 16, 9, 11, true, Activation.GELU_ERF, 1e-5, 0, true);
        try (TlsServer server = new TlsServer(files())) {
            assertThatThrownBy(() -> folders().bring(of(server, digest(published)), other, run(), stage))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining(
                            "model.layers is 3, there it is 2; model.activation is gelu_erf, there it is gelu_tanh;"
                                    + " model.sequenceLength is 9, at most 8 positions are there");
            assertThat(server.ranges).hasSize(1);
        }
    }

    @Test
    void whatIsNotThereIsSaid() throws Exception {
        try (TlsServer server = new TlsServer(exchange -> exchange.sendResponseHeaders(404, -1))) {
            assertThatThrownBy(() -> folders().bring(of(server, digest(published)), MODEL, run(), stage))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("weights.from: ")
                    .hasMessageContaining("config.json: the server answers 404")
                    .hasMessageContaining("--set weights.from=file:FOLDER");
        }
        assertThatThrownBy(() -> folders().bring(new WeightsSpec("file:/no/such", ""), MODEL, run(), stage))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "weights.from: /no/such does not exist; give a folder with config.json and model.safetensors");
    }

    /** Its name may lead to what only this machine's network can reach. */
    @Test
    void anAddressThatIsNotPublicIsRefused() throws Exception {
        try (TlsServer server = new TlsServer(files())) {
            WeightFolders guarded =
                    new WeightFolders(temp.resolve("cache"), FetchSettings.of(Map.of()), Clock.systemUTC());
            assertThatThrownBy(() -> guarded.bring(of(server, digest(published)), MODEL, run(), stage))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("weights.from: ")
                    .hasMessageContaining("which is no public address");
            assertThat(server.ranges).isEmpty();
        }
    }

    private WeightFolders folders() {
        return new WeightFolders(
                temp.resolve("cache"), TlsServer.settings(1 << 24, Duration.ofSeconds(10)), Clock.systemUTC());
    }

    private HttpHandler files() {
        return exchange -> {
            Path file = file(exchange.getRequestURI().getPath());
            if (Files.exists(file)) {
                byte[] content = Files.readAllBytes(file);
                TlsServer.give(exchange, content, content.length);
            } else {
                exchange.sendResponseHeaders(404, -1);
            }
        };
    }

    private Path file(String path) {
        return published.resolve(path.substring(path.lastIndexOf('/') + 1));
    }

    private static WeightsSpec of(TlsServer server, String sha256) {
        return new WeightsSpec(server.uri("/models/small/").toString(), sha256);
    }

    private void assertSame(Path folder) throws IOException {
        for (String name : List.of("config.json", "model.safetensors")) {
            assertThat(folder.resolve(name)).hasSameBinaryContentAs(published.resolve(name));
        }
    }

    /** What {@code sha256sum config.json model*.safetensors | sha256sum} prints. */
    private static String digest(Path folder) {
        try {
            Process process = new ProcessBuilder("sh", "-c", "sha256sum config.json model*.safetensors | sha256sum")
                    .directory(folder.toFile())
                    .start();
            return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).split(" ", 2)[0];
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void write(Path folder, long fileBytes, long seed) throws IOException {
        Random random = new Random(seed);
        List<TensorSource> weights = new ArrayList<>();
        Gpt2Folder.shapes(MODEL).forEach((name, shape) -> {
            float[] values = new float[Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) random.nextGaussian();
            }
            weights.add(TensorSource.of(
                    name,
                    ElementType.F32,
                    MemorySegment.ofArray(values),
                    Arrays.stream(shape).asLongStream().toArray()));
        });
        Gpt2Export.write(folder, MODEL, 11, weights, fileBytes, Map.of());
    }
}
