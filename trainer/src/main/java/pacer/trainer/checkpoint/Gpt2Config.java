package pacer.trainer.checkpoint;

import static pacer.trainer.checkpoint.InvalidFileException.quote;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import pacer.trainer.ops.Operations.Activation;
import pacer.trainer.spec.ModelSpec;

/** {@code config.json} of a Hugging Face GPT-2 folder. What it leaves out has the defaults of {@code GPT2Config}. */
final class Gpt2Config {
    static final String FILE = "config.json";

    private static final Map<String, Activation> ACTIVATIONS = new TreeMap<>(Map.of(
            "gelu", Activation.GELU_ERF,
            "gelu_new", Activation.GELU_TANH,
            "gelu_fast", Activation.GELU_TANH,
            "gelu_pytorch_tanh", Activation.GELU_TANH,
            "relu2", Activation.RELU_SQUARED));

    static final int GPT2_END_OF_TEXT = 50256;

    private final Path file;
    private final JsonNode json;

    private Gpt2Config(Path file, JsonNode json) {
        this.file = file;
        this.json = json;
    }

    /**
     * The model that {@code folder} describes. Dropout is 0: it is a setting of training, not of weights.
     *
     * @throws InvalidFileException where the file asks for what a GPT-2 here does not do
     */
    static ModelSpec read(Path folder) throws IOException {
        Path file = folder.resolve(FILE);
        try {
            if (Files.size(file) > 1 << 20) {
                throw new InvalidFileException(file, "file", "is longer than a model's configuration can be");
            }
            return new Gpt2Config(file, Json.MAPPER.readTree(Files.readAllBytes(file))).model();
        } catch (NoSuchFileException e) {
            throw new InvalidFileException(folder, "folder", "holds no " + FILE + "; is it a Hugging Face model?");
        } catch (JsonProcessingException e) {
            throw new InvalidFileException(file, Json.place(e), "not valid JSON: " + e.getOriginalMessage());
        }
    }

    private ModelSpec model() throws InvalidFileException {
        require("model_type", "gpt2", "gpt2");
        require("scale_attn_weights", "true", "true");
        require("scale_attn_by_inverse_layer_idx", "false", "false");
        require("add_cross_attention", "false", "false");
        int heads = number("n_head", 12, 1024);
        int width = number("n_embd", 768, 65_536);
        if (width % heads != 0) {
            throw invalid("n_embd", width + " must be a multiple of n_head, which is " + heads);
        }
        if (json.hasNonNull("n_inner") && json.path("n_inner").asLong() != 4L * width) {
            throw invalid("n_inner", json.path("n_inner") + " must be null or 4 x n_embd, " + 4 * width);
        }
        return ModelSpec.gpt2(
                number("n_layer", 12, 1000),
                heads,
                width,
                number("n_positions", 1024, 1_048_576),
                number("vocab_size", 50_257, 1_000_000),
                true,
                activation(),
                epsilon(),
                0,
                flag("tie_word_embeddings", true));
    }

    private Activation activation() throws InvalidFileException {
        String name = json.path("activation_function").asText("gelu_new");
        Activation activation = ACTIVATIONS.get(name);
        if (activation == null) {
            throw invalid("activation_function", quote(name) + " must be one of " + ACTIVATIONS.keySet());
        }
        return activation;
    }

    private double epsilon() throws InvalidFileException {
        JsonNode value = json.path("layer_norm_epsilon");
        double epsilon = value.isMissingNode() ? 1e-5 : value.asDouble(Double.NaN);
        if (!(epsilon >= 0 && epsilon <= 1)) {
            throw invalid("layer_norm_epsilon", value + " must be a number from 0 to 1");
        }
        return epsilon;
    }

    private int number(String key, int standard, int most) throws InvalidFileException {
        JsonNode value = json.path(key);
        if (value.isMissingNode()) {
            return standard;
        }
        if (!value.isIntegralNumber() || !value.canConvertToInt() || value.asInt() < 1 || value.asInt() > most) {
            throw invalid(key, value + " must be a whole number from 1 to " + most);
        }
        return value.asInt();
    }

    private boolean flag(String key, boolean standard) throws InvalidFileException {
        JsonNode value = json.path(key);
        if (!value.isMissingNode() && !value.isBoolean()) {
            throw invalid(key, value + " must be true or false");
        }
        return value.asBoolean(standard);
    }

    private void require(String key, String standard, String only) throws InvalidFileException {
        String value = json.path(key).asText(standard);
        if (!value.equals(only)) {
            throw invalid(key, quote(value) + " is not supported; only " + only + " is");
        }
    }

    private InvalidFileException invalid(String key, String problem) {
        return new InvalidFileException(file, key, problem);
    }

    /** The file's content for {@code model}. */
    static byte[] of(ModelSpec model) throws IOException {
        String activation =
                switch (model.activation()) {
                    case GELU_ERF -> "gelu";
                    case GELU_TANH -> "gelu_new";
                    case RELU_SQUARED -> "relu2";
                };
        ObjectNode json = Json.MAPPER.createObjectNode();
        json.putArray("architectures").add("GPT2LMHeadModel");
        json.put("model_type", "gpt2");
        json.put("dtype", "float32");
        json.put("vocab_size", model.vocabulary());
        json.put("n_positions", model.sequenceLength());
        json.put("n_embd", model.width());
        json.put("n_layer", model.layers());
        json.put("n_head", model.heads());
        json.putNull("n_inner");
        json.put("activation_function", activation);
        json.put("layer_norm_epsilon", model.normEpsilon());
        json.put("resid_pdrop", model.dropout());
        json.put("embd_pdrop", model.dropout());
        json.put("attn_pdrop", model.dropout());
        json.put("scale_attn_weights", true);
        json.put("tie_word_embeddings", model.tiedHead());
        // the defaults are GPT-2's token, which a vocabulary of characters does not have
        Integer end = model.vocabulary() > GPT2_END_OF_TEXT ? (Integer) GPT2_END_OF_TEXT : null;
        json.put("bos_token_id", end);
        json.put("eos_token_id", end);
        return Json.MAPPER.writerWithDefaultPrettyPrinter().writeValueAsBytes(json);
    }
}
