package pacer.trainer.parity;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import pacer.trainer.checkpoint.InvalidFileException;
import pacer.trainer.model.Engine;

/** Replays recorded runs of other frameworks and compares. */
public final class Parity {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Parity() {}

    /**
     * Replays the trace at {@code path}: {@code X} for {@code X.json} beside {@code X.safetensors}, or a folder with a Hugging
     * Face model and its {@code golden.json} and {@code golden.safetensors}.
     *
     * @throws InvalidFileException when it is no trace, naming file, place and rule
     */
    public static ParityReport replay(Path path, Engine engine) throws IOException {
        boolean folder = Files.isDirectory(path);
        Path description = folder ? path.resolve("golden.json") : path.resolveSibling(path.getFileName() + ".json");
        if (!Files.isRegularFile(description)) {
            throw new InvalidFileException(
                    description,
                    "file",
                    "does not exist; a trace is X.json beside X.safetensors (give X), or a folder with golden.json");
        }
        JsonNode trace;
        try {
            trace = JSON.readTree(description.toFile());
        } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
            throw new InvalidFileException(description, "JSON", e.getOriginalMessage());
        }
        String kind = trace.path("kind").asText("");
        TraceJson told = new TraceJson(description, trace);
        Path tensors = path.resolveSibling(path.getFileName() + ".safetensors");
        return switch (kind) {
            case "run" -> RunReplay.replay(told, tensors, engine);
            case "hf" -> HuggingFaceReplay.replay(told, path, engine);
            case "optimizer" -> OptimizerReplay.replay(told, tensors, engine);
            case "orthogonalize" -> OrthogonalReplay.replay(told, tensors, engine);
            default ->
                throw new InvalidFileException(
                        description,
                        "kind",
                        "\"" + kind + "\"; known are \"run\", \"hf\", \"optimizer\" and \"orthogonalize\"");
        };
    }
}
