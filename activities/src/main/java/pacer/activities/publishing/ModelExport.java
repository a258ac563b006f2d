package pacer.activities.publishing;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongConsumer;
import pacer.trainer.checkpoint.Checkpoint;
import pacer.trainer.checkpoint.Gpt2Export;
import pacer.trainer.checkpoint.PacerFolder;
import pacer.trainer.checkpoint.Safetensors;
import pacer.trainer.checkpoint.StoredTensor;
import pacer.trainer.checkpoint.TensorSource;
import pacer.trainer.checkpoint.TrainingState;
import pacer.trainer.spec.ModelSpec;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.text.HuggingFaceTokenizer;
import pacer.trainer.text.Tokenizer;

/**
 * A checkpoint as a folder for others: GPT-2's network as Hugging Face's {@code transformers} opens it, any other with a configuration of its
 * own; each with its tokenizer and a card.
 */
public final class ModelExport {
    private ModelExport() {}

    /**
     * Writes the new {@code folder}.
     *
     * @param run what the checkpoint was trained by, as far as that is known
     * @param fileBytes most bytes of a file of weights; 0: all in one
     * @param read hears of bytes of weights as they are read
     * @return whether {@code transformers} opens it
     * @throws IOException when {@code folder} exists already, or the checkpoint is damaged
     */
    public static boolean write(
            Checkpoint checkpoint, Optional<RunSpec> run, Path folder, long fileBytes, LongConsumer read)
            throws IOException {
        checkpoint.verify();
        TrainingState state = checkpoint.state();
        ModelSpec model = state.model();
        Tokenizer tokenizer = Tokenizer.of(
                state.tokenizer(),
                state.vocabulary() == null
                        ? List.of()
                        : state.vocabulary()
                                .codePoints()
                                .mapToObj(Character::toString)
                                .toList());
        int vocabulary = Math.min(model.vocabulary(), tokenizer.vocabularySize());
        boolean gpt2 = model.equalsGpt2();
        Map<String, byte[]> beside = new LinkedHashMap<>(HuggingFaceTokenizer.files(tokenizer, model.sequenceLength()));
        beside.put(
                "README.md",
                ModelCard.text(state, model.withVocabulary(vocabulary), run, gpt2)
                        .getBytes(StandardCharsets.UTF_8));
        try (Safetensors stored = checkpoint.openWeights()) {
            List<TensorSource> weights = new ArrayList<>();
            stored.tensors().values().forEach(tensor -> weights.add(source(tensor, read)));
            if (gpt2) {
                Gpt2Export.write(folder, model, vocabulary, weights, fileBytes, beside);
            } else {
                int window = state.window() == null ? model.attention().windowAt(1) : state.window();
                PacerFolder.write(folder, model, window, vocabulary, weights, fileBytes, beside);
            }
        }
        return gpt2;
    }

    private static TensorSource source(StoredTensor tensor, LongConsumer read) {
        MemorySegment bytes = tensor.bytes();
        return new TensorSource(tensor.name(), tensor.type(), tensor.shape(), (offset, length, _) -> {
            read.accept(length);
            return bytes.asSlice(offset, length);
        });
    }
}
