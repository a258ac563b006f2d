package pacer.trainer.parity;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import pacer.trainer.checkpoint.InvalidFileException;
import pacer.trainer.checkpoint.Safetensors;
import pacer.trainer.checkpoint.StoredTensor;
import pacer.trainer.model.Parameter;
import pacer.trainer.model.Replica;

/** The tensors of a trace, checked before anything is compared with them. */
final class TraceTensors {

    private TraceTensors() {}

    /**
     * The tensors {@code prefix + parameter} by parameter, as floats in the trace's layout; none where the trace records none.
     *
     * @param transposed whether the trace holds a parameter the other way round
     * @throws InvalidFileException when only some parameters are there, or one is of another shape
     */
    static Map<String, MemorySegment> parameters(
            Safetensors trace, String prefix, Replica replica, Predicate<String> transposed, Arena arena)
            throws IOException {
        Map<String, MemorySegment> found = new HashMap<>();
        List<String> missing = new ArrayList<>();
        StoredTensor last = null;
        for (Parameter p : replica.parameters().all()) {
            StoredTensor stored = trace.tensors().get(prefix + p.name());
            if (stored == null) {
                missing.add(p.name());
                continue;
            }
            last = stored;
            List<Long> shape = p.shape().stream().map(Integer::longValue).toList();
            found.put(p.name(), floats(stored, transposed.test(p.name()) ? shape.reversed() : shape, arena));
        }
        if (last != null && !missing.isEmpty()) {
            throw new InvalidFileException(
                    last.file(),
                    "tensors \"" + prefix + "…\"",
                    "are there for some parameters only; record all of them or none; missing: "
                            + String.join(", ", missing));
        }
        return found;
    }

    /**
     * Fails when the trace holds a tensor that is none of {@code known} and of no parameter: it would seem to be compared.
     *
     * @param prefixes what precedes parameters' names
     */
    static void requireKnown(Safetensors trace, Predicate<String> known, Replica replica, List<String> prefixes)
            throws InvalidFileException {
        for (StoredTensor stored : trace.tensors().values()) {
            boolean ofParameter = replica.parameters().all().stream().anyMatch(p -> prefixes.stream()
                    .anyMatch(prefix -> stored.name().equals(prefix + p.name())));
            if (!ofParameter && !known.test(stored.name())) {
                throw refused(stored, "is nothing that a replay of this model compares; rename it or leave it out");
            }
        }
    }

    /** The elements of a tensor that must have {@code shape}, as floats. */
    static MemorySegment floats(StoredTensor stored, List<Long> shape, Arena arena) throws InvalidFileException {
        if (!stored.shape().equals(shape)) {
            throw refused(stored, "has shape " + stored.shape() + "; the model's is " + shape);
        }
        MemorySegment values = arena.allocate(4 * stored.elements(), 64);
        stored.toFloats(values);
        return values;
    }

    /** Tokens, int32; each must be one of the model's: another would be read from beyond its embeddings. */
    static MemorySegment tokens(StoredTensor stored, int vocabulary, Arena arena) throws IOException {
        int[] tokens = stored.ints();
        for (int i = 0; i < tokens.length; i++) {
            if (tokens[i] < 0 || tokens[i] >= vocabulary) {
                throw refused(
                        stored,
                        "element " + i + " is " + tokens[i] + "; tokens of the model are 0 to " + (vocabulary - 1));
            }
        }
        return arena.allocateFrom(ValueLayout.JAVA_INT, tokens);
    }

    /** Fails unless both tensors have the same shape of {@code dimensions} dimensions. */
    static void requireAlike(StoredTensor inputs, StoredTensor targets, int dimensions) throws InvalidFileException {
        if (inputs.shape().size() != dimensions) {
            throw refused(inputs, "has shape " + inputs.shape() + "; it must have " + dimensions + " dimensions");
        }
        if (!targets.shape().equals(inputs.shape())) {
            throw refused(targets, "has shape " + targets.shape() + "; \"inputs\" has " + inputs.shape());
        }
    }

    static InvalidFileException refused(StoredTensor tensor, String problem) {
        return new InvalidFileException(tensor.file(), "tensor \"" + tensor.name() + "\"", problem);
    }
}
