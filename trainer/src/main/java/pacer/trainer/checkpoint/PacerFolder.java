package pacer.trainer.checkpoint;

import static pacer.trainer.checkpoint.InvalidFileException.quote;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import pacer.trainer.spec.ModelSpec;

/**
 * A model of any network as a folder for others: {@code config.json} with every switch, safetensors under the names of checkpoints. What
 * {@link Gpt2Export} is for GPT-2 alone.
 *
 * @param model the network, without the rows that pad its vocabulary
 * @param window tokens that a position sees, 0: all
 */
public record PacerFolder(ModelSpec model, int window) {
    /** {@code model_type} of the configuration. */
    public static final String TYPE = "pacer";

    private static final int VERSION = 1;
    private static final long MOST_BYTES = 1 << 20;

    /** What {@code config.json} in {@code folder} calls its model; the empty text where it says nothing. */
    public static String type(Path folder) throws IOException {
        return config(folder).path("model_type").asText();
    }

    private static JsonNode config(Path folder) throws IOException {
        Path file = folder.resolve(Gpt2Config.FILE);
        if (Files.size(file) > MOST_BYTES) {
            throw new InvalidFileException(file, "file", "is longer than a model's configuration can be");
        }
        try {
            return Json.MAPPER.readTree(Files.readAllBytes(file));
        } catch (JsonProcessingException e) {
            throw new InvalidFileException(file, Json.place(e), "not valid JSON: " + e.getOriginalMessage());
        }
    }

    /**
     * Writes the new {@code folder}.
     *
     * @param vocabulary tokens that there are; rows of a padded vocabulary after them are left out
     * @param weights the tensors of {@code model}, in float32
     * @param fileBytes most bytes of a file of weights; 0: all in one
     * @param beside further files by name
     * @throws IOException when {@code folder} exists already, among others
     */
    public static void write(
            Path folder,
            ModelSpec model,
            int window,
            int vocabulary,
            Collection<TensorSource> weights,
            long fileBytes,
            Map<String, byte[]> beside)
            throws IOException {
        List<String> tables = weights.stream()
                .filter(tensor -> tensor.shape().size() == 2
                        && tensor.shape().getFirst() == model.vocabulary()
                        && isTable(tensor.name()))
                .map(TensorSource::name)
                .toList();
        ObjectNode config = Json.MAPPER.createObjectNode();
        config.put("model_type", TYPE).put("format_version", VERSION);
        config.set("model", Json.MAPPER.valueToTree(model.withVocabulary(vocabulary)));
        config.put("window", window);
        ExportedModel.of(
                        Json.MAPPER.writerWithDefaultPrettyPrinter().writeValueAsBytes(config),
                        ExportedModel.withoutPadding(weights, tables, vocabulary),
                        beside)
                .write(folder, fileBytes);
    }

    private static boolean isTable(String name) {
        return name.equals("lm_head.weight") || name.contains("embed") || name.endsWith("wte.weight");
    }

    /**
     * What {@code folder} says of itself; its weights are opened by {@link Safetensors#openFolder}.
     *
     * @throws InvalidFileException when it is none
     */
    public static PacerFolder read(Path folder) throws IOException {
        JsonNode config = config(folder);
        Path file = folder.resolve(Gpt2Config.FILE);
        if (!config.path("model_type").asText().equals(TYPE)) {
            throw new InvalidFileException(file, "model_type", quote(type(folder)) + " must be " + TYPE);
        }
        if (config.path("format_version").asInt() != VERSION) {
            throw new InvalidFileException(
                    file,
                    "format_version",
                    config.path("format_version") + " is not known; this version of pacer reads " + VERSION);
        }
        try {
            return new PacerFolder(
                    Json.MAPPER.treeToValue(config.path("model"), ModelSpec.class),
                    config.path("window").asInt());
        } catch (JsonProcessingException | IllegalArgumentException e) {
            throw new InvalidFileException(file, "model", "is no network: " + e.getMessage());
        }
    }
}
