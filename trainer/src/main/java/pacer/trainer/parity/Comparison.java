package pacer.trainer.parity;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import pacer.trainer.checkpoint.InvalidFileException;
import pacer.trainer.checkpoint.Safetensors;
import pacer.trainer.checkpoint.StoredTensor;
import pacer.trainer.model.Gpt;
import pacer.trainer.model.Parameter;
import pacer.trainer.model.Replica;
import pacer.trainer.ops.Tensor;

/** Compares a replica with a trace and collects the quantities. */
final class Comparison {
    private final Replica replica;
    private final List<Quantity> quantities = new ArrayList<>();

    Comparison(Replica replica) {
        this.replica = replica;
    }

    List<Quantity> quantities() {
        return quantities;
    }

    void number(String name, double ours, double theirs, double tolerance) {
        quantities.add(Quantity.ofNumbers(name, ours, theirs, tolerance));
    }

    void agreement(String name, boolean equal, String detail) {
        quantities.add(new Quantity(name, equal ? 0 : 1, 0, detail));
    }

    /** Every parameter's {@code prefix + name} of the trace against its view in {@code flat}; the worst is named. */
    void parameters(String name, Tensor flat, Map<String, MemorySegment> theirs, double tolerance) {
        double worst = 0;
        String at = "";
        for (Parameter p : replica.parameters().all()) {
            MemorySegment expected = theirs.get(p.name());
            if (expected == null) {
                continue;
            }
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment ours = arena.allocate(4 * p.size(), 64);
                replica.read(flat, p, ours);
                double difference = Quantity.relativeNorm(ours, expected);
                if (!(difference <= worst)) {
                    worst = difference;
                    at = p.name();
                }
            }
        }
        quantities.add(new Quantity(name, worst, tolerance, at));
    }

    /**
     * Logits of whole sequences against the trace's, one sequence at a time.
     *
     * @param inputs int32 (sequences, T)
     * @param theirs floats (sequences, T, V)
     */
    void logits(String name, MemorySegment inputs, MemorySegment theirs, int sequences, double tolerance) {
        Gpt gpt = replica.single();
        long length = gpt.length();
        long row = 4L * gpt.vocabulary();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment ours = arena.allocate(sequences * length * row, 64);
            for (long s = 0; s < sequences; s++) {
                MemorySegment to = ours.asSlice(s * length * row, length * row);
                gpt.logits(inputs.asSlice(4 * s * length, 4 * length), 0, to.asSlice(0, row));
                for (int t = 1; t < length; t++) {
                    gpt.readLogits(t, to.asSlice((long) t * row, row));
                }
            }
            quantities.add(new Quantity(name, Quantity.relativeNorm(ours, theirs), tolerance, ""));
        }
    }

    /** The trace's tensors {@code prefix + parameter} by parameter, as floats. Shapes must be the parameters'. */
    static Map<String, MemorySegment> named(Safetensors trace, String prefix, Replica replica, Arena arena)
            throws IOException {
        Map<String, MemorySegment> found = new HashMap<>();
        for (Parameter p : replica.parameters().all()) {
            StoredTensor stored = trace.tensors().get(prefix + p.name());
            if (stored == null) {
                continue;
            }
            List<Long> shape = p.shape().stream().map(Integer::longValue).toList();
            if (!stored.shape().equals(shape)) {
                throw new InvalidFileException(
                        stored.file(),
                        "tensor \"" + stored.name() + "\"",
                        "has shape " + stored.shape() + "; the model's is " + shape);
            }
            MemorySegment values = arena.allocate(4 * p.size(), 64);
            stored.toFloats(values);
            found.put(p.name(), values);
        }
        return found;
    }
}
