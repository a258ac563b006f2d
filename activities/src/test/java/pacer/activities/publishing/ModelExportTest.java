package pacer.activities.publishing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import pacer.trainer.checkpoint.Checkpoint;
import pacer.trainer.checkpoint.CheckpointStore;
import pacer.trainer.checkpoint.Fence;
import pacer.trainer.checkpoint.InvalidFileException;
import pacer.trainer.checkpoint.TensorSource;
import pacer.trainer.checkpoint.TrainingState;
import pacer.trainer.eval.Sampler;
import pacer.trainer.eval.TextModel;
import pacer.trainer.model.Engine;
import pacer.trainer.model.Initialization;
import pacer.trainer.model.Replica;
import pacer.trainer.ops.cpu.Gemms;
import pacer.trainer.spec.DatasetSpec;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecLoader;
import pacer.trainer.spec.TrainSpec;

class ModelExportTest {
    private static final String CHARACTERS = "\n !abcdefghijklmnopqrstuvwxyz";

    private static final String SPEEDRUN = """
              tiedHead: false
              norm: rms_norm
              embeddingNorm: true
              softcap: 15
              initial: torch
              attention: {positions: rotary_half, rotaryBase: 1024, qkNorm: true, values: tables_mirrored, leftOut: 1,
                window: 12, windowStart: 4, windowStep: 4}
              stream: {embedding: true, skips: true}
            """;

    @TempDir
    Path temp;

    /** What an export writes is what the checkpoint writes, letter for letter: weights, window, tokenizer. */
    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "speedrun"})
    void anExportWritesTheTextsOfItsCheckpoint(String network) throws IOException {
        RunSpec spec = spec(network);
        Checkpoint checkpoint = checkpoint(spec);
        Path folder = temp.resolve("exported");

        boolean transformers = ModelExport.write(checkpoint, Optional.of(spec), folder, 30_000, _ -> {});

        assertThat(transformers).isEqualTo(network.equals("gpt2"));
        assertThat(text(folder)).isEqualTo(text(checkpoint.folder()));
        assertThat(Files.readString(folder.resolve("README.md")))
                .contains(
                        "# small, step 7\n",
                        "| training | 7 of 20 steps of 32 tokens, ",
                        "| validation loss | 1.5000 nats")
                .contains(transformers ? "AutoModelForCausalLM" : "modded-nanogpt");
        assertThat(Files.exists(folder.resolve("model.safetensors.index.json"))).isTrue();
        assertThatThrownBy(() -> ModelExport.write(checkpoint, Optional.of(spec), folder, 0, _ -> {}))
                .hasMessageContaining("exists already");
    }

    @Test
    void aDamagedCheckpointIsNotExported() throws IOException {
        RunSpec spec = spec("gpt2");
        Checkpoint checkpoint = checkpoint(spec);
        Path weights = checkpoint.folder().resolve(Checkpoint.WEIGHTS);
        byte[] bytes = Files.readAllBytes(weights);
        bytes[bytes.length - 5] ^= 1;
        Files.write(weights, bytes);
        assertThatThrownBy(() -> ModelExport.write(checkpoint, Optional.of(spec), temp.resolve("x"), 0, _ -> {}))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("SHA-256");
        assertThat(temp.resolve("x")).doesNotExist();
    }

    private RunSpec spec(String network) throws IOException {
        Path file = temp.resolve(network + ".yaml");
        Files.writeString(file, """
                name: small
                description: A *small* model
                dataset: {url: 'file:x', tokenizer: characters}
                model:
                  layers: 4
                  heads: 2
                  width: 32
                  sequenceLength: 16
                  vocabulary: 40
                  bias: false
                %strain: {steps: 20, batchTokens: 32, microBatch: 2}
                optimizer: {learningRate: 1e-3}
                """.formatted(network.equals("gpt2") ? "" : SPEEDRUN));
        return SpecLoader.read(file);
    }

    private static Engine engine() {
        return new Engine(Engine.Kind.CPU, 1, TrainSpec.Precision.FP32, Gemms.Kind.AUTO, Path.of("target/kernels"));
    }

    private Checkpoint checkpoint(RunSpec spec) throws IOException {
        try (Replica replica = engine().open(spec.model(), 1, 16, false);
                Arena _ = Arena.ofConfined()) {
            Initialization.of(spec.model(), replica.parameters(), 5, replica.device(), replica.weights());
            List<TensorSource> weights = new ArrayList<>();
            replica.parameters()
                    .all()
                    .forEach(p -> weights.add(TensorSource.of(
                                    replica.device(), replica.parameters().in(replica.weights(), p.name()))
                            .named(p.name())));
            Path run = Files.createDirectories(temp.resolve("run"));
            Fence fence = Fence.acquire(run, 0, Duration.ofSeconds(5), _ -> {});
            TrainingState state = new TrainingState(
                    7,
                    14,
                    "5pec",
                    "c0ffee",
                    1.5,
                    1.5,
                    DatasetSpec.Tokenizer.CHARACTERS,
                    CHARACTERS,
                    spec.model(),
                    1,
                    TrainingState.Skips.NONE,
                    "da7a",
                    "an engine",
                    spec.model().attention().windowAt(0.5),
                    TrainingState.Recent.NONE,
                    null,
                    null);
            return new CheckpointStore(run.resolve("checkpoints"), _ -> {}).save(fence, state, weights, List.of());
        }
    }

    private static String text(Path folder) throws IOException {
        try (TextModel model = TextModel.open(folder, engine())) {
            return model.write("abc", 40, new Sampler.Settings(1, 0, 3), 0, _ -> {});
        }
    }
}
