package pacer.trainer.checkpoint;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import pacer.trainer.spec.ModelSpec;

/** Writes a GPT-2 as a folder that {@code GPT2LMHeadModel.from_pretrained} opens; {@link Gpt2Folder} reads it. */
public final class Gpt2Export {
    private static final Set<String> TABLES = Set.of("transformer.wte.weight", "lm_head.weight");

    private Gpt2Export() {}

    /** Writes all of {@code model} in one file of weights, with nothing beside it. */
    static void write(Path folder, ModelSpec model, Collection<TensorSource> weights) throws IOException {
        write(folder, model, model.vocabulary(), weights, 0, Map.of());
    }

    /**
     * Writes a new {@code folder}. A model without biases gets biases of zero, which compute the same.
     *
     * @param vocabulary tokens that there are; rows of a padded vocabulary after them are left out
     * @param weights the tensors of {@code model}, as {@link Gpt2Folder#shapes(ModelSpec)} says, in float32
     * @param fileBytes most bytes of a file of weights; 0: all in one
     * @param beside further files by name
     * @throws IOException when {@code folder} exists already, among others
     * @throws IllegalArgumentException when the network is another than GPT-2's
     */
    public static void write(
            Path folder,
            ModelSpec model,
            int vocabulary,
            Collection<TensorSource> weights,
            long fileBytes,
            Map<String, byte[]> beside)
            throws IOException {
        if (!model.equalsGpt2()) {
            throw new IllegalArgumentException("GPT2LMHeadModel computes GPT-2's network alone, and this is another: "
                    + model.norm() + ", softcap " + model.softcap() + ", " + model.attention() + ", "
                    + model.stream());
        }
        Map<String, TensorSource> given = ExportedModel.withoutPadding(weights, TABLES, vocabulary).stream()
                .collect(Collectors.toMap(TensorSource::name, Function.identity()));
        ModelSpec biased = ModelSpec.gpt2(
                model.layers(),
                model.heads(),
                model.width(),
                model.sequenceLength(),
                vocabulary,
                true,
                model.activation(),
                model.normEpsilon(),
                model.dropout(),
                model.tiedHead());
        List<TensorSource> stored = new ArrayList<>();
        for (Map.Entry<String, int[]> e : Gpt2Folder.shapes(biased).entrySet()) {
            stored.add(storedForm(e.getKey(), e.getValue(), given.remove(e.getKey()), model.bias()));
        }
        if (!given.isEmpty()) {
            throw new IllegalArgumentException("not part of the model: " + given.keySet());
        }
        ExportedModel.of(Gpt2Config.of(biased), stored, beside).write(folder, fileBytes);
    }

    private static TensorSource storedForm(String name, int[] shape, TensorSource source, boolean bias) {
        List<Long> dimensions = Arrays.stream(shape).mapToObj(d -> (long) d).toList();
        if (source == null && !bias && name.endsWith(".bias")) {
            return new TensorSource(
                    name, ElementType.F32, dimensions, (offset, length, scratch) -> scratch.asSlice(0, length)
                            .fill((byte) 0));
        }
        if (source == null || !source.shape().equals(dimensions) || source.type() != ElementType.F32) {
            String given = source == null ? "missing" : "given as " + source.type() + " " + source.shape();
            throw new IllegalArgumentException("tensor " + name + " must be F32 " + dimensions + "; it is " + given);
        }
        return Gpt2Folder.isTransposed(name)
                ? new TensorSource(
                        name, ElementType.F32, dimensions.reversed(), new Transposed(source, shape[0], shape[1]))
                : source;
    }

    /** The transpose of a source (rows, columns), in memory from the first piece asked for to the last. */
    private static final class Transposed implements TensorSource.Content {
        private final TensorSource source;
        private final int rows;
        private final int columns;
        private Arena arena;
        private MemorySegment whole;

        Transposed(TensorSource source, int rows, int columns) {
            this.source = source;
            this.rows = rows;
            this.columns = columns;
        }

        @Override
        public MemorySegment read(long offset, long length, MemorySegment scratch) throws IOException {
            if (offset == 0) {
                arena = Arena.ofConfined();
                whole = arena.allocate(source.bytes(), 64);
                Gpt2Folder.transpose(source.copyTo(arena), rows, columns, whole);
            }
            MemorySegment piece = scratch.asSlice(0, length).copyFrom(whole.asSlice(offset, length));
            if (offset + length == source.bytes()) {
                arena.close();
            }
            return piece;
        }
    }
}
