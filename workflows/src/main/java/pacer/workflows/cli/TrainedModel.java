package pacer.workflows.cli;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import pacer.trainer.checkpoint.Checkpoint;
import pacer.trainer.checkpoint.HuggingFaceGpt2;
import pacer.trainer.checkpoint.InvalidFileException;
import pacer.trainer.checkpoint.Safetensors;
import pacer.trainer.checkpoint.StoredTensor;
import pacer.trainer.model.Engine;
import pacer.trainer.model.Parameter;
import pacer.trainer.model.Replica;
import pacer.trainer.spec.DatasetSpec;
import pacer.trainer.spec.ModelSpec;
import pacer.trainer.text.Tokenizer;

/**
 * A model with weights, ready to compute with.
 *
 * @param title what it is, for people
 */
record TrainedModel(String title, Replica replica, Tokenizer tokenizer) implements AutoCloseable {

    /** Whether {@code folder} holds GPT-2 as Hugging Face's transformers write it. */
    static boolean isHuggingFace(Path folder) {
        return Files.isRegularFile(folder.resolve("config.json"));
    }

    /**
     * Opens the checkpoint in {@code folder}, every file verified.
     *
     * @param sequences taken through the model at once
     * @throws InvalidFileException when it is damaged or none
     */
    static TrainedModel checkpoint(Path folder, Engine engine, int sequences) throws IOException {
        Checkpoint checkpoint = Checkpoint.open(folder);
        checkpoint.verify();
        ModelSpec model = checkpoint.state().model();
        String vocabulary = checkpoint.state().vocabulary();
        List<String> characters = vocabulary == null
                ? List.of()
                : vocabulary.codePoints().mapToObj(Character::toString).toList();
        Tokenizer tokenizer = Tokenizer.of(checkpoint.state().tokenizer(), characters);
        try (Arena arena = Arena.ofShared();
                Safetensors stored = checkpoint.openWeights()) {
            Map<String, MemorySegment> weights = new HashMap<>();
            for (String name : stored.tensors().keySet()) {
                StoredTensor tensor = stored.tensor(name);
                MemorySegment values = arena.allocate(4 * tensor.elements(), 64);
                tensor.toFloats(values);
                weights.put(name, values);
            }
            String title = folder.getFileName().toString();
            return new TrainedModel(title, loaded(folder, model, weights, engine, sequences), tokenizer);
        }
    }

    /** Opens a folder as Hugging Face writes GPT-2. */
    static TrainedModel huggingFace(Path folder, Engine engine, int sequences) throws IOException {
        ModelSpec model = HuggingFaceGpt2.readConfig(folder);
        try (Arena arena = Arena.ofShared()) {
            Map<String, MemorySegment> weights = HuggingFaceGpt2.readWeights(folder, model, arena);
            return new TrainedModel(
                    folder.getFileName().toString(),
                    loaded(folder, model, weights, engine, sequences),
                    Tokenizer.of(DatasetSpec.Tokenizer.GPT2, List.of()));
        }
    }

    private static Replica loaded(
            Path folder, ModelSpec model, Map<String, MemorySegment> weights, Engine engine, int sequences)
            throws IOException {
        Replica replica = engine.open(model, sequences, model.sequenceLength(), false);
        for (Parameter parameter : replica.parameters().all()) {
            MemorySegment values = weights.get(parameter.name());
            if (values == null || values.byteSize() != 4 * parameter.size()) {
                replica.close();
                throw new InvalidFileException(
                        folder,
                        "tensor \"" + parameter.name() + "\"",
                        values == null ? "is missing" : "has another shape than the model's " + parameter.shape());
            }
            replica.device().write(replica.parameters().in(replica.weights(), parameter.name()), values);
        }
        replica.weightsChanged();
        return replica;
    }

    @Override
    public void close() {
        replica.close();
    }
}
