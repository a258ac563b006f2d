package pacer.trainer.parity;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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

    /**
     * Every parameter of the trace against its view in {@code flat}; the worst is named. Where the trace records none, nothing was
     * compared, and nothing is said to agree.
     */
    void parameters(String name, Tensor flat, Map<String, MemorySegment> theirs, double tolerance) {
        if (theirs.isEmpty()) {
            return;
        }
        double worst = 0;
        String at = "";
        for (Parameter p : replica.parameters().all()) {
            MemorySegment expected = theirs.get(p.name());
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
}
