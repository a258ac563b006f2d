package pacer.trainer.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import pacer.trainer.ops.Operations.Activation;
import pacer.trainer.spec.ModelSpec;

class Gpt2FolderTest {

    @TempDir
    Path temp;

    @ParameterizedTest
    @CsvSource({"true, true, GELU_TANH", "false, true, GELU_ERF", "true, false, RELU_SQUARED"})
    void exportsWhatItReads(boolean bias, boolean tied, Activation activation) throws IOException {
        ModelSpec model = ModelSpec.gpt2(2, 3, 33, 7, 51, bias, activation, 1e-6, 0.1, tied);
        List<TensorSource> weights = randomWeights(model);
        Path folder = temp.resolve("exported");

        Gpt2Export.write(folder, model, weights);

        try (Gpt2Folder opened = Gpt2Folder.open(folder)) {
            assertThat(opened.model()).isEqualTo(ModelSpec.gpt2(2, 3, 33, 7, 51, true, activation, 1e-6, 0, tied));
            for (TensorSource weight : weights) {
                assertThat(floats(opened, weight.name()))
                        .as(weight.name())
                        .isEqualTo(
                                weight.content().read(0, weight.bytes(), null).toArray(ElementType.FLOAT));
            }
            if (!bias) {
                assertThat(floats(opened, "transformer.h.1.attn.c_attn.bias"))
                        .hasSize(99)
                        .containsOnly(0);
            }
        }
        try (Safetensors stored = Safetensors.open(folder.resolve("model.safetensors"))) {
            assertThat(stored.tensor("transformer.h.0.mlp.c_fc.weight").shape()).containsExactly(33L, 132L);
            assertThat(stored.tensors().containsKey("lm_head.weight")).isEqualTo(!tied);
            float[] ours = weights.stream()
                    .filter(w -> w.name().equals("transformer.h.0.mlp.c_fc.weight"))
                    .findFirst()
                    .orElseThrow()
                    .content()
                    .read(0, 4 * 132 * 33, null)
                    .toArray(ElementType.FLOAT);
            // input 5, output 100: (inputs, outputs) there, (outputs, inputs) here
            assertThat(stored.tensor("transformer.h.0.mlp.c_fc.weight").floats()[5 * 132 + 100])
                    .isEqualTo(ours[100 * 33 + 5]);
            assertThat(stored.metadata()).containsEntry("format", "pt");
        }
        assertThatThrownBy(() -> Gpt2Export.write(folder, model, weights)).hasMessageContaining("exists already");
    }

    @Test
    void leavesOutRowsThatPadTheVocabularyAndDividesWeights() throws IOException {
        ModelSpec padded = ModelSpec.gpt2(2, 3, 33, 7, 64, true, Activation.GELU_TANH, 1e-5, 0, false);
        List<TensorSource> weights = randomWeights(padded);
        Path folder = temp.resolve("divided");

        Gpt2Export.write(folder, padded, 51, weights, 20_000, Map.of("note.txt", new byte[] {1}));

        try (Gpt2Folder opened = Gpt2Folder.open(folder)) {
            assertThat(opened.model())
                    .isEqualTo(ModelSpec.gpt2(2, 3, 33, 7, 51, true, Activation.GELU_TANH, 1e-5, 0, false));
            for (TensorSource weight : weights) {
                float[] all = weight.content().read(0, weight.bytes(), null).toArray(ElementType.FLOAT);
                boolean table = weight.shape().getFirst() == 64;
                assertThat(floats(opened, weight.name()))
                        .as(weight.name())
                        .isEqualTo(table ? java.util.Arrays.copyOf(all, 51 * 33) : all);
            }
        }
        try (var files = Files.list(folder)) {
            List<String> names =
                    files.map(file -> file.getFileName().toString()).sorted().toList();
            assertThat(names)
                    .contains("config.json", "model.safetensors.index.json", "note.txt")
                    .doesNotContain("model.safetensors")
                    .filteredOn(name -> name.matches("model-0000\\d-of-0000\\d\\.safetensors"))
                    .hasSizeGreaterThan(3);
            for (String name : names) {
                assertThat(Files.size(folder.resolve(name))).isLessThan(20_000 + 2_000);
            }
        }
    }

    /** What is stored under a name that leads elsewhere is not looked for there. */
    @ParameterizedTest
    @ValueSource(strings = {"../a.safetensors", "/tmp/a.safetensors", "sub/a.safetensors", "a.bin", "..", ""})
    void refusesAnIndexThatNamesFilesElsewhere(String name) throws IOException {
        ModelSpec model = ModelSpec.gpt2(1, 2, 8, 4, 11, true, Activation.GELU_TANH, 1e-5, 0, true);
        Path folder = temp.resolve("m");
        Gpt2Export.write(folder, model, 11, randomWeights(model), 1, Map.of());
        Path index = folder.resolve("model.safetensors.index.json");
        var json = (com.fasterxml.jackson.databind.node.ObjectNode) Json.MAPPER.readTree(index.toFile());
        json.withObject("weight_map").put("transformer.wte.weight", name);
        Json.MAPPER.writeValue(index.toFile(), json);
        assertThatThrownBy(() -> Gpt2Folder.open(folder))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("weight_map, \"transformer.wte.weight\"")
                .hasMessageContaining("must be the plain name of a .safetensors file beside the index");
    }

    /** Its parameters have GPT-2's names and shapes, and would be read without a word. */
    @Test
    void refusesToExportAnotherNetwork() {
        ModelSpec gpt2 = ModelSpec.gpt2(1, 2, 8, 4, 11, true, Activation.GELU_TANH, 1e-5, 0, true);
        ModelSpec capped = new ModelSpec(
                1,
                2,
                8,
                4,
                11,
                true,
                Activation.GELU_TANH,
                1e-5,
                0,
                true,
                gpt2.norm(),
                false,
                30,
                gpt2.initial(),
                gpt2.attention(),
                gpt2.stream());
        assertThatThrownBy(() -> Gpt2Export.write(temp.resolve("other"), capped, List.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("softcap 30.0");
    }

    @Test
    void readsSeveralFilesOfHalfPrecisionWithoutPrefixAndWithMaskBuffers() throws IOException {
        ModelSpec model = ModelSpec.gpt2(1, 2, 8, 4, 11, true, Activation.GELU_TANH, 1e-5, 0, true);
        Map<String, String> file = new java.util.LinkedHashMap<>();
        List<TensorSource> first = new ArrayList<>();
        List<TensorSource> second = new ArrayList<>();
        for (Map.Entry<String, int[]> e : Gpt2Folder.shapes(model).entrySet()) {
            int[] shape = e.getValue();
            if (Gpt2Folder.isTransposed(e.getKey())) {
                shape = new int[] {shape[1], shape[0]};
            }
            short[] halves = new short[shape[0] * (shape.length == 1 ? 1 : shape[1])];
            for (int i = 0; i < halves.length; i++) {
                halves[i] = Float.floatToFloat16(i);
            }
            String name = e.getKey().substring("transformer.".length());
            long[] dims = java.util.Arrays.stream(shape).asLongStream().toArray();
            (name.startsWith("h.") ? second : first)
                    .add(TensorSource.of(name, ElementType.F16, MemorySegment.ofArray(halves), dims));
        }
        second.add(TensorSource.of("h.0.attn.bias", ElementType.U8, MemorySegment.ofArray(new byte[16]), 1, 1, 4, 4));
        second.add(TensorSource.of("h.0.attn.masked_bias", ElementType.F32, MemorySegment.ofArray(new float[1])));
        first.forEach(t -> file.put(t.name(), "a.safetensors"));
        second.forEach(t -> file.put(t.name(), "b.safetensors"));
        SafetensorsWriter.write(temp.resolve("a.safetensors"), Map.of(), first);
        SafetensorsWriter.write(temp.resolve("b.safetensors"), Map.of(), second);
        Json.MAPPER.writeValue(temp.resolve("model.safetensors.index.json").toFile(), Map.of("weight_map", file));
        Files.write(temp.resolve("config.json"), Gpt2Config.of(model));

        try (Gpt2Folder opened = Gpt2Folder.open(temp)) {
            assertThat(opened.model()).isEqualTo(model);
            assertThat(opened.shapes()).hasSize(16);
            // row r of (24, 8), column c, lies at (c, r) of (8, 24)
            assertThat(floats(opened, "transformer.h.0.attn.c_attn.weight")[17 * 8 + 3])
                    .isEqualTo(3 * 24 + 17);
            assertThat(floats(opened, "transformer.wte.weight")[9]).isEqualTo(9);
        }
    }

    @Test
    void takesGpt2sOwnValuesForWhatAConfigurationLeavesOut() throws IOException {
        Files.writeString(temp.resolve("config.json"), "{\"model_type\":\"gpt2\",\"n_ctx\":1024,\"attn_pdrop\":0.1}");

        assertThat(Gpt2Config.read(temp))
                .isEqualTo(ModelSpec.gpt2(12, 12, 768, 1024, 50257, true, Activation.GELU_TANH, 1e-5, 0, true));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{'model_type':'llama'} | model_type: \"llama\" is not supported; only gpt2 is",
                "{'scale_attn_by_inverse_layer_idx':true} | \"true\" is not supported; only false is",
                "{'scale_attn_weights':false} | scale_attn_weights: \"false\" is not supported; only true is",
                "{'activation_function':'silu'} | \"silu\" must be one of [gelu, gelu_fast, gelu_new, gelu_pytorch_tanh, relu2]",
                "{'n_layer':2000000000} | n_layer: 2000000000 must be a whole number from 1 to 1000",
                "{'n_embd':7.5} | n_embd: 7.5 must be a whole number",
                "{'n_embd':770} | n_embd: 770 must be a multiple of n_head, which is 12",
                "{'vocab_size':-1} | vocab_size: -1 must be a whole number",
                "{'n_inner':100} | n_inner: 100 must be null or 4 x n_embd, 3072",
                "{'layer_norm_epsilon':'x'} | layer_norm_epsilon: \"x\" must be a number",
                "{'tie_word_embeddings':'yes'} | tie_word_embeddings: \"yes\" must be true or false",
                "{'n_layer':1,'n_layer':2} | not valid JSON: Duplicate field 'n_layer'",
                "{'n_layer' | not valid JSON",
            })
    void refusesConfigurationsItWouldComputeWrongly(String config, String message) throws IOException {
        Files.writeString(temp.resolve("config.json"), config.replace('\'', '"'));
        assertThatThrownBy(() -> Gpt2Folder.open(temp))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining(temp.resolve("config.json") + ": ")
                .hasMessageContaining(message);
    }

    @Test
    void refusesWeightsThatDoNotFitTheConfiguration() throws IOException {
        assertThatThrownBy(() -> Gpt2Folder.open(temp)).hasMessageContaining("holds no config.json");
        ModelSpec model = ModelSpec.gpt2(1, 2, 8, 4, 11, true, Activation.GELU_TANH, 1e-5, 0, true);
        Path folder = temp.resolve("m");
        Gpt2Export.write(folder, model, randomWeights(model));
        Files.write(
                folder.resolve("config.json"),
                Gpt2Config.of(ModelSpec.gpt2(2, 2, 8, 5, 11, true, Activation.GELU_TANH, 1e-5, 0, false)));

        assertThatThrownBy(() -> Gpt2Folder.open(folder))
                .hasMessageContaining(
                        "\"lm_head.weight\" [11, 8] is missing; \"transformer.h.1.attn.c_attn.bias\" [24] is missing")
                .hasMessageContaining("more");
        List<TensorSource> tooFew = randomWeights(model);
        tooFew.removeFirst();
        assertThatThrownBy(() -> Gpt2Export.write(temp.resolve("n"), model, tooFew))
                .hasMessageContaining("transformer.wte.weight must be F32 [11, 8]; it is missing");
    }

    static float[] floats(Gpt2Folder folder, String name) throws IOException {
        int elements = 1;
        for (int d : folder.shapes().get(name)) {
            elements *= d;
        }
        float[] floats = new float[elements];
        folder.read(name, MemorySegment.ofArray(floats));
        return floats;
    }

    private static List<TensorSource> randomWeights(ModelSpec model) {
        Random random = new Random(3);
        List<TensorSource> weights = new ArrayList<>();
        Gpt2Folder.shapes(model).forEach((name, shape) -> {
            long[] dims = java.util.Arrays.stream(shape).asLongStream().toArray();
            float[] values = new float[shape[0] * (shape.length == 1 ? 1 : shape[1])];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) random.nextGaussian();
            }
            weights.add(TensorSource.of(name, ElementType.F32, MemorySegment.ofArray(values), dims));
        });
        return weights;
    }
}
