package pacer.trainer.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.trainer.checkpoint.ElementType;
import pacer.trainer.checkpoint.InvalidFileException;
import pacer.trainer.checkpoint.SafetensorsWriter;
import pacer.trainer.checkpoint.TensorSource;
import pacer.trainer.model.Engine;
import pacer.trainer.model.Parameter;
import pacer.trainer.model.Parameters;
import pacer.trainer.ops.Operations.Activation;
import pacer.trainer.ops.cpu.Gemms;
import pacer.trainer.spec.ModelSpec;
import pacer.trainer.spec.TrainSpec.Precision;

/** What a trace may leave out, and what it must not hold. */
class TraceTest {
    private static final ModelSpec MODEL = ModelSpec.gpt2(1, 1, 4, 4, 5, false, Activation.GELU_TANH, 1e-5, 0, true);
    private static final String DESCRIPTION = """
            {"kind": "run",
             "model": {"family": "gpt2", "norm": "layernorm", "dropout": 0, "activation": "gelu_tanh", "n_layer": 1,
               "n_head": 1, "n_embd": 4, "block_size": 4, "vocab_size": 5, "bias": false, "norm_eps": 1e-5,
               "tied_head": true},
             "training": {"precision": "fp32", "steps": 1, "grad_clip": 1, "schedule": {"type": "constant"},
               "optimizers": [{"type": "adamw", "params": "all", "lr": 0.001, "betas": [0.9, 0.99], "eps": 1e-8,
                 "weight_decay": 0}]},
             "losses": [1.6]}
            """;

    @TempDir
    private Path folder;

    private final List<TensorSource> tensors = new ArrayList<>();

    @BeforeEach
    void begin() throws IOException {
        Files.writeString(folder.resolve("trace.json"), DESCRIPTION);
        parameters("init.");
    }

    @Test
    void whatATraceDoesNotRecordIsNotSaidToAgree() throws IOException {
        tokens("inputs", 0, 1, 2, 3);
        tokens("targets", 1, 2, 3, 4);
        assertThat(replay().quantities()).extracting(Quantity::name).containsExactly("loss 0");
    }

    @Test
    void whatATraceRecordsIsCompared() throws IOException {
        tokens("inputs", 0, 1, 2, 3);
        tokens("targets", 1, 2, 3, 4);
        parameters("grad.step0.");
        parameters("final.");
        zeros("logits.step0.row0", 4, 5);
        assertThat(replay().quantities())
                .extracting(Quantity::name)
                .containsExactly("logits of row 0", "loss 0", "gradients", "final weights");
    }

    @Test
    void gradientsOfSomeParametersAreRefusedNamingTheMissing() {
        tokens("inputs", 0, 1, 2, 3);
        tokens("targets", 1, 2, 3, 4);
        zeros("grad.step0.transformer.wte.weight", 5, 4);
        assertThatThrownBy(this::replay)
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContainingAll("trace.safetensors", "grad.step0.", "missing: transformer.wpe.weight");
    }

    @Test
    void aTensorThatNothingIsComparedWithIsRefused() {
        for (String name : List.of("logits.step1.row0", "logits.step0.row1", "grad.step0.head", "hidden")) {
            tensors.clear();
            parameters("init.");
            tokens("inputs", 0, 1, 2, 3);
            tokens("targets", 1, 2, 3, 4);
            zeros(name, 4, 5);
            assertThatThrownBy(this::replay)
                    .isInstanceOf(InvalidFileException.class)
                    .hasMessageContainingAll("trace.safetensors", "\"" + name + "\"");
        }
    }

    @Test
    void aTraceWithoutAStepIsRefused() throws IOException {
        Files.writeString(
                folder.resolve("trace.json"),
                DESCRIPTION.replace("\"steps\": 1", "\"steps\": 0").replace("[1.6]", "[]"));
        tokens("inputs", 0, 1, 2, 3);
        tokens("targets", 1, 2, 3, 4);
        assertThatThrownBy(this::replay)
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContainingAll("trace.json", "no step was recorded");
    }

    @Test
    void logitsOfAnotherShapeAreRefused() {
        tokens("inputs", 0, 1, 2, 3);
        tokens("targets", 1, 2, 3, 4);
        zeros("logits.step0.row0", 4, 4);
        assertThatThrownBy(this::replay)
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContainingAll("\"logits.step0.row0\"", "[4, 4]", "[4, 5]");
    }

    @Test
    void aTokenOutsideOfTheVocabularyIsRefused() {
        tokens("inputs", 0, 1, 2, 3);
        tokens("targets", 1, 2, 5, 4);
        assertThatThrownBy(this::replay)
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContainingAll("tensor \"targets\"", "element 2 is 5", "0 to 4");
    }

    private ParityReport replay() throws IOException {
        SafetensorsWriter.write(folder.resolve("trace.safetensors"), Map.of(), tensors);
        Engine engine = new Engine(Engine.Kind.REFERENCE, 1, Precision.FP32, Gemms.Kind.AUTO, folder);
        return Parity.replay(folder.resolve("trace"), engine);
    }

    private void parameters(String prefix) {
        for (Parameter p : Parameters.of(MODEL).all()) {
            zeros(
                    prefix + p.name(),
                    p.shape().stream().mapToLong(Integer::longValue).toArray());
        }
    }

    private void zeros(String name, long... shape) {
        long elements = 1;
        for (long dimension : shape) {
            elements *= dimension;
        }
        tensors.add(TensorSource.of(name, ElementType.F32, Arena.ofAuto().allocate(4 * elements), shape));
    }

    private void tokens(String name, int... tokens) {
        MemorySegment bytes = Arena.ofAuto().allocateFrom(ValueLayout.JAVA_INT, tokens);
        tensors.add(TensorSource.of(name, ElementType.I32, bytes, 1, 1, 4));
    }
}
