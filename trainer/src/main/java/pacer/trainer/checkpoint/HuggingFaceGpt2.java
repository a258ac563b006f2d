package pacer.trainer.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import pacer.trainer.model.Parameter;
import pacer.trainer.model.Parameters;
import pacer.trainer.ops.Operations.Activation;
import pacer.trainer.spec.ModelSpec;

/**
 * GPT-2 in Hugging Face's layout: {@code config.json} and {@code model.safetensors}. Their linear weights are Conv1D's, (inputs,
 * outputs), the transpose of ours; the other tensors are the same. Biases are part of the format: a model without them is written
 * with zeros.
 */
public final class HuggingFaceGpt2 {
    private static final ObjectMapper JSON = new ObjectMapper();

    private HuggingFaceGpt2() {}

    /**
     * The model that a folder's {@code config.json} describes.
     *
     * @throws InvalidFileException when it is not GPT-2, or a setting asks for what GPT-2 does not have
     */
    public static ModelSpec readConfig(Path folder) throws IOException {
        Path file = folder.resolve("config.json");
        JsonNode config;
        try {
            config = JSON.readTree(Files.readAllBytes(file));
        } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
            throw new InvalidFileException(file, "JSON", e.getOriginalMessage());
        }
        String type = config.path("model_type").asText("");
        if (!type.equals("gpt2")) {
            throw new InvalidFileException(file, "model_type", "\"" + type + "\"; only \"gpt2\" can be read");
        }
        if (config.path("scale_attn_by_inverse_layer_idx").asBoolean(false)
                || !config.path("scale_attn_weights").asBoolean(true)
                || config.path("add_cross_attention").asBoolean(false)) {
            throw new InvalidFileException(
                    file,
                    "scale_attn_by_inverse_layer_idx, scale_attn_weights, add_cross_attention",
                    "must be GPT-2's own");
        }
        int width = positive(file, config, "n_embd");
        int heads = positive(file, config, "n_head");
        JsonNode inner = config.path("n_inner");
        if (inner.isNumber() && inner.intValue() != 4 * width) {
            throw new InvalidFileException(file, "n_inner", inner + "; must be 4 * n_embd = " + 4 * width);
        }
        if (width % heads != 0) {
            throw new InvalidFileException(file, "n_head", heads + " does not divide n_embd " + width);
        }
        String activation = config.path("activation_function").asText("gelu_new");
        return new ModelSpec(
                positive(file, config, "n_layer"),
                heads,
                width,
                positive(file, config, "n_positions"),
                positive(file, config, "vocab_size"),
                true,
                switch (activation) {
                    case "gelu_new", "gelu_pytorch_tanh" -> Activation.GELU_TANH;
                    case "gelu" -> Activation.GELU_ERF;
                    default ->
                        throw new InvalidFileException(
                                file,
                                "activation_function",
                                "\"" + activation + "\"; known are gelu_new, gelu_pytorch_tanh, gelu");
                },
                config.path("layer_norm_epsilon").asDouble(1e-5),
                0,
                config.path("tie_word_embeddings").asBoolean(true));
    }

    private static int positive(Path file, JsonNode config, String key) throws InvalidFileException {
        JsonNode node = config.path(key);
        if (!node.isIntegralNumber() || !node.canConvertToInt() || node.intValue() < 1) {
            throw new InvalidFileException(
                    file,
                    key,
                    (node.isMissingNode() ? "is missing" : node.toString()) + "; a positive whole number is expected");
        }
        return node.intValue();
    }

    /**
     * A folder's weights under our names and in our layout, as floats.
     *
     * @param arena owns the memory
     * @throws InvalidFileException when a tensor is missing, left over or of another shape
     */
    public static Map<String, MemorySegment> readWeights(Path folder, ModelSpec model, Arena arena) throws IOException {
        try (Safetensors stored = Safetensors.openFolder(folder)) {
            return rename(stored, "", model, arena);
        }
    }

    /**
     * The tensors of {@code stored} whose names are {@code prefix} and one of Hugging Face's, under our names and in our layout.
     * Theirs come with or without {@code transformer.}; masks, which older exports carry, are passed over.
     */
    public static Map<String, MemorySegment> rename(Safetensors stored, String prefix, ModelSpec model, Arena arena)
            throws IOException {
        Map<String, MemorySegment> weights = new HashMap<>();
        for (Parameter p : Parameters.of(model).all()) {
            StoredTensor tensor = find(stored, prefix, p.name());
            boolean transposed = isTransposed(p);
            List<Long> shape = p.shape().stream().map(Integer::longValue).toList();
            List<Long> theirs = transposed ? shape.reversed() : shape;
            if (!tensor.shape().equals(theirs)) {
                throw new InvalidFileException(
                        tensor.file(),
                        "tensor \"" + tensor.name() + "\"",
                        "has shape " + tensor.shape() + "; config.json makes it " + theirs);
            }
            MemorySegment values = arena.allocate(4 * p.size(), 64);
            tensor.toFloats(values);
            weights.put(
                    p.name(),
                    transposed ? transpose(values, p.shape().get(1), p.shape().get(0), arena) : values);
        }
        return weights;
    }

    private static StoredTensor find(Safetensors stored, String prefix, String name) throws IOException {
        StoredTensor tensor = stored.tensors().get(prefix + name);
        if (tensor == null && name.startsWith("transformer.")) {
            tensor = stored.tensors().get(prefix + name.substring("transformer.".length()));
        }
        return tensor == null ? stored.tensor(prefix + name) : tensor;
    }

    /** Linear layers inside blocks are Conv1D there; embeddings and the head are not. */
    private static boolean isTransposed(Parameter p) {
        return p.shape().size() == 2 && p.name().contains(".h.");
    }

    private static MemorySegment transpose(MemorySegment from, int rows, int columns, Arena arena) {
        MemorySegment to = arena.allocate(from.byteSize(), 64);
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < columns; c++) {
                to.setAtIndex(
                        ValueLayout.JAVA_FLOAT,
                        (long) c * rows + r,
                        from.getAtIndex(ValueLayout.JAVA_FLOAT, (long) r * columns + c));
            }
        }
        return to;
    }

    /**
     * Writes a folder that {@code transformers} opens as {@code GPT2LMHeadModel}.
     *
     * @param weights ours, by name, as floats
     */
    public static void write(Path folder, ModelSpec model, Map<String, MemorySegment> weights) throws IOException {
        Files.createDirectories(folder);
        Files.write(
                folder.resolve("config.json"),
                JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(config(model)));
        try (Arena arena = Arena.ofConfined()) {
            List<TensorSource> tensors = new ArrayList<>();
            // with biases, because the format has them
            ModelSpec full = new ModelSpec(
                    model.layers(),
                    model.heads(),
                    model.width(),
                    model.sequenceLength(),
                    model.vocabulary(),
                    true,
                    model.activation(),
                    model.normEpsilon(),
                    model.dropout(),
                    model.tiedHead());
            for (Parameter p : Parameters.of(full).all()) {
                MemorySegment values = weights.get(p.name());
                if (values == null) {
                    values = arena.allocate(4 * p.size(), 64);
                }
                long[] shape = p.shape().stream().mapToLong(Integer::longValue).toArray();
                if (isTransposed(p)) {
                    values = transpose(values, p.shape().get(0), p.shape().get(1), arena);
                    shape = new long[] {shape[1], shape[0]};
                }
                tensors.add(TensorSource.of(p.name(), ElementType.F32, values, shape));
            }
            SafetensorsWriter.write(folder.resolve("model.safetensors"), Map.of("format", "pt"), tensors);
        }
    }

    private static ObjectNode config(ModelSpec model) {
        ObjectNode config = JSON.createObjectNode();
        config.putArray("architectures").add("GPT2LMHeadModel");
        config.put("model_type", "gpt2");
        config.put("activation_function", model.activation() == Activation.GELU_ERF ? "gelu" : "gelu_new");
        config.put("n_layer", model.layers());
        config.put("n_head", model.heads());
        config.put("n_embd", model.width());
        config.put("n_positions", model.sequenceLength());
        config.put("vocab_size", model.vocabulary());
        config.put("layer_norm_epsilon", model.normEpsilon());
        config.put("tie_word_embeddings", model.tiedHead());
        config.put("attn_pdrop", model.dropout());
        config.put("embd_pdrop", model.dropout());
        config.put("resid_pdrop", model.dropout());
        config.put("dtype", "float32");
        return config;
    }
}
