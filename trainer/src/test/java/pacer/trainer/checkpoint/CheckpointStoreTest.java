package pacer.trainer.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointStoreTest {

    @TempDir
    Path run;

    private final List<String> notices = new ArrayList<>();
    private Path checkpoints;
    private CheckpointStore store;
    private Fence fence;

    @BeforeEach
    void acquire() throws IOException {
        checkpoints = run.resolve("checkpoints");
        store = new CheckpointStore(checkpoints, notices::add);
        fence = nextEpoch();
    }

    @Test
    void readsBackStateWeightsAndOptimizer() throws IOException {
        List<TensorSource> weights = States.tensors("w", 1, 300);
        Checkpoint saved = store.save(fence, States.at(500, 1.25), weights, States.tensors("m", 2, 10));

        Checkpoint found = store.newest().orElseThrow();

        assertThat(found).isEqualTo(saved);
        assertThat(store.at(500)).contains(saved);
        assertThat(store.at(501)).isEmpty();
        assertThat(found.folder()).isEqualTo(checkpoints.resolve("step-000500"));
        assertThat(found.state()).isEqualTo(States.at(500, 1.25));
        assertThat(found.manifest().epoch()).isEqualTo(fence.epoch());
        try (Safetensors opened = found.openWeights();
                Safetensors optimizer = found.openOptimizer(0)) {
            for (TensorSource weight : weights) {
                assertThat(opened.tensor(weight.name())
                                .bytes()
                                .mismatch(weight.content().read(0, weight.bytes(), null)))
                        .isEqualTo(-1);
            }
            assertThat(optimizer.tensors()).containsOnlyKeys("m0", "m1", "m2", "m3");
        }
        assertThat(filesBelow(checkpoints))
                .containsExactlyInAnyOrder(
                        "step-000500/manifest.json",
                        "step-000500/model.safetensors",
                        "step-000500/optimizer-rank0.safetensors");
        assertThat(notices).isEmpty();
    }

    @Test
    void aLossMeasuredLaterIsTakenIntoTheCheckpointThatIsThere() throws IOException {
        save(500, null);
        Checkpoint later = save(500, 1.25);
        assertThat(later.state().validationLoss()).isEqualTo(1.25);
        assertThat(store.best()).contains(later);
    }

    @Test
    void aCheckpointIsFoundAgainUnderALocaleWithDigitsOfItsOwn() throws IOException {
        Locale before = Locale.getDefault();
        Locale.setDefault(Locale.forLanguageTag("fa-IR"));
        try {
            Checkpoint saved = save(500, 1.25);
            assertThat(saved.folder().getFileName()).hasToString("step-000500");
            assertThat(store.newest()).contains(saved);
            assertThat(store.recover(nextEpoch())).contains(saved);
        } finally {
            Locale.setDefault(before);
        }
    }

    @Test
    void aManifestSaysWhatTheGuideSays() throws IOException {
        Checkpoint saved = save(500, 1.25);
        ObjectNode json = (ObjectNode)
                Json.MAPPER.readTree(saved.folder().resolve("manifest.json").toFile());

        assertThat(json.path("formatVersion").asInt()).isEqualTo(1);
        assertThat(json.at("/state/samples").asLong()).isEqualTo(6000);
        assertThat(json.at("/state/model/activation").asText()).isEqualTo("gelu_tanh");
        assertThat(json.at("/state/tokenizer").asText()).isEqualTo("characters");
        assertThat(json.at("/state/vocabulary").asText()).isEqualTo("\n !\"abcü🦄");
        assertThat(json.at("/files/0/name").asText()).isEqualTo("model.safetensors");
        assertThat(json.at("/files/0/bytes").asLong())
                .isEqualTo(Files.size(saved.folder().resolve("model.safetensors")));
        assertThat(json.at("/files/0/sha256").asText()).hasSize(64);
        assertThat(json.path("checksum").asText()).hasSize(64);
    }

    @Test
    void oneFlippedBitAnywhereSetsTheCheckpointAsideAndUsesTheOneBefore() throws IOException {
        save(250, null);
        for (String file : List.of("manifest.json", "model.safetensors", "optimizer-rank0.safetensors")) {
            byte[] whole = Files.readAllBytes(save(500, null).folder().resolve(file));
            for (double place : new double[] {0, 0.02, 0.3, 0.6, 0.99}) {
                save(500, null);
                byte[] damaged = whole.clone();
                damaged[(int) (place * whole.length)] ^= 4;
                Files.write(checkpoints.resolve("step-000500").resolve(file), damaged);
                notices.clear();
                assertThat(store.newest().orElseThrow().state().step())
                        .as("for a reader")
                        .isEqualTo(250);
                assertThat(checkpoints.resolve("step-000500"))
                        .as("a reader changes nothing")
                        .exists();

                fence = nextEpoch();
                notices.clear();
                Checkpoint used = store.recover(fence).orElseThrow();

                assertThat(used.state().step()).as(file + " at " + place).isEqualTo(250);
                assertThat(notices)
                        .singleElement()
                        .asString()
                        .startsWith("damaged checkpoint set aside as step-000500.damaged")
                        .contains("the one before it is used: " + checkpoints.resolve("step-000500"));
            }
        }
        assertThat(checkpoints.resolve("step-000500")).doesNotExist();
        assertThat(checkpoints.resolve("step-000500.damaged-15/manifest.json")).exists();
    }

    @Test
    void shortenedAndMissingFilesAreDamageToo() throws IOException {
        save(250, null);
        Path file = save(500, null).folder().resolve("model.safetensors");
        Files.write(file, java.util.Arrays.copyOf(Files.readAllBytes(file), 1000));
        assertThat(store.recover(fence).orElseThrow().state().step()).isEqualTo(250);
        assertThat(notices.removeLast()).contains("model.safetensors: length: 1000 bytes; the manifest says ");

        Files.delete(save(500, null).folder().resolve("optimizer-rank0.safetensors"));
        assertThat(store.recover(fence).orElseThrow().state().step()).isEqualTo(250);
        assertThat(notices.removeLast())
                .contains("optimizer-rank0.safetensors: file: is missing; the manifest lists it");

        Files.move(save(500, null).folder(), checkpoints.resolve("step-000750"));
        assertThat(store.recover(fence).orElseThrow().state().step()).isEqualTo(250);
        assertThat(notices.removeLast()).contains("step-000750: name: the manifest inside is of step 500");
    }

    @Test
    void aManifestOfALaterFormatIsNeitherDamagedNorRead() throws IOException {
        Path manifest = save(500, null).folder().resolve("manifest.json");
        Manifest current = Manifest.read(manifest.getParent());
        Files.write(manifest, new Manifest(2, 1, current.time(), current.state(), current.files()).toJson());

        assertThatThrownBy(() -> store.recover(fence))
                .hasMessageContaining("formatVersion: is 2; this version of pacer reads 1");
        assertThat(manifest).exists();
    }

    @Test
    void aFencedWriterCommitsNothingAndLeavesNothing() throws IOException {
        save(250, null);
        Fence old = fence;
        nextEpoch();

        assertThatThrownBy(() -> store.save(old, States.at(500, null), States.tensors("w", 1, 1), List.of()))
                .isInstanceOf(FencedException.class);
        assertThatThrownBy(() -> store.prune(old, 1, false)).isInstanceOf(FencedException.class);
        assertThatThrownBy(() -> store.recover(old)).isInstanceOf(FencedException.class);
        assertThat(folders()).containsExactly("step-000250");
    }

    @Test
    void aNewWriterRemovesWhatKilledOnesLeftAndNothingElse() throws IOException {
        Checkpoint whole = save(250, null);
        Checkpoint halfDeleted = save(100, null);
        Files.delete(halfDeleted.folder().resolve("manifest.json"));
        store.draft(fence.epoch(), 500).write("model.safetensors", Map.of(), States.tensors("w", 1, 1));
        Files.createDirectories(checkpoints.resolve(".step-000300.epoch-1.replaced"));
        Files.createDirectories(checkpoints.resolve("step-000200.damaged"));
        Files.createDirectories(checkpoints.resolve("mine"));
        Fence next = nextEpoch();
        store.draft(next.epoch(), 500).write("model.safetensors", Map.of(), States.tensors("w", 1, 1));

        assertThat(store.recover(next)).contains(whole);

        assertThat(folders())
                .containsExactlyInAnyOrder("step-000250", ".step-000500.epoch-2", "step-000200.damaged", "mine");
        assertThat(store.list()).containsExactly(whole);
    }

    @Test
    void keepsTheNewestAndTheBest() throws IOException {
        save(100, 3.0);
        save(200, 1.5);
        save(300, 1.5);
        save(400, Double.NaN);
        save(500, 2.0);
        save(600, null);

        assertThat(store.best().orElseThrow().state().step()).isEqualTo(200);
        store.prune(fence, 2, true);
        assertThat(folders()).containsExactlyInAnyOrder("step-000200", "step-000500", "step-000600");
        store.prune(fence, 1, false);
        assertThat(folders()).containsExactly("step-000600");
        assertThat(store.best()).isEmpty();
        assertThat(notices).isEmpty();
    }

    @Test
    void savingAStepAgainKeepsAnEqualCheckpointAndReplacesAnother() throws IOException {
        Checkpoint first = save(500, null);
        assertThat(save(500, null)).isEqualTo(first);

        List<TensorSource> others = States.tensors("w", 77, 1);
        Checkpoint second = store.save(fence, States.at(500, null), others, List.of());

        assertThat(second.manifest().files()).isNotEqualTo(first.manifest().files());
        assertThat(store.newest()).contains(second);
        assertThat(folders()).containsExactly("step-000500");
    }

    @Test
    void ranksWriteTheirFilesSideBySideAndOneCommits() throws Exception {
        List<String> files = new ArrayList<>(List.of(Checkpoint.WEIGHTS));
        try (ExecutorService ranks = Executors.newFixedThreadPool(4)) {
            List<Future<FileFacts>> written = new ArrayList<>();
            written.add(ranks.submit(() ->
                    store.draft(fence.epoch(), 7).write(Checkpoint.WEIGHTS, Map.of(), States.tensors("w", 0, 500))));
            for (int rank = 0; rank < 4; rank++) {
                String file = Checkpoint.optimizerFile(rank);
                int seed = rank;
                files.add(file);
                written.add(ranks.submit(
                        () -> store.draft(fence.epoch(), 7).write(file, Map.of(), States.tensors("m", seed, 500))));
            }
            for (Future<FileFacts> one : written) {
                one.get();
            }
        }
        CheckpointDraft draft = store.draft(fence.epoch(), 7);
        List<String> tooMany = new ArrayList<>(files);
        tooMany.add(Checkpoint.optimizerFile(4));
        assertThatThrownBy(() -> draft.commit(fence, States.at(7, null), tooMany))
                .hasMessageContaining("optimizer-rank4.safetensors was not written to its end");
        assertThat(store.list()).isEmpty();

        Checkpoint checkpoint = draft.commit(fence, States.at(7, null), files);

        checkpoint.verify();
        assertThat(checkpoint.manifest().files()).extracting(FileFacts::name).isEqualTo(files);
        assertThat(filesBelow(checkpoints)).hasSize(6);
    }

    @Test
    void aFailingSourceLeavesNothingBehind() throws IOException {
        TensorSource failing = new TensorSource("w", ElementType.F32, List.of(2L), (offset, length, scratch) -> {
            throw new IOException("device lost");
        });
        assertThatThrownBy(() -> store.save(fence, States.at(1, null), List.of(failing), List.of()))
                .hasMessageContaining("cannot write")
                .hasMessageContaining("device lost");
        assertThat(folders()).isEmpty();
    }

    @Test
    void aSnapshotKeepsWhatWasThereWhileTrainingGoesOn() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment live = arena.allocate(5_000_000L * 4, 64);
            live.set(ValueLayout.JAVA_FLOAT, 4L * 4_999_999, 7);
            TensorSource snapshot =
                    TensorSource.of("w", ElementType.F32, live, 5_000_000).snapshot(arena);
            live.fill((byte) 1);
            Checkpoint saved = store.save(fence, States.at(1, null), List.of(snapshot), List.of());
            try (Safetensors weights = saved.openWeights()) {
                float[] values = weights.tensor("w").floats();
                assertThat(values[0]).isZero();
                assertThat(values[4_999_999]).isEqualTo(7);
            }
        }
    }

    @Test
    void refusesWhatNoCheckpointCanBe() {
        assertThatThrownBy(() -> new FileFacts("../x", 1, "0".repeat(64))).hasMessageContaining("must be plain");
        assertThatThrownBy(() -> States.at(-1, null)).hasMessageContaining("step >= 0");
    }

    private Checkpoint save(int step, Double loss) throws IOException {
        return store.save(fence, States.at(step, loss), States.tensors("w", step, 1), States.tensors("m", -step, 2));
    }

    private Fence nextEpoch() throws IOException {
        return Fence.acquire(run, Duration.ofSeconds(10), notices::add);
    }

    private List<String> folders() throws IOException {
        try (Stream<Path> all = Files.list(checkpoints)) {
            return all.map(p -> p.getFileName().toString()).toList();
        }
    }

    private static List<String> filesBelow(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(Files::isRegularFile)
                    .map(p -> folder.relativize(p).toString())
                    .toList();
        }
    }
}
