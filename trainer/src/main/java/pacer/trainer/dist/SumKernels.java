package pacer.trainer.dist;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Sums over ranks, in their order. Its name ends in Kernels for the compiler's sake: see {@code Trainer.JVM_FLAGS}. */
final class SumKernels {
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private SumKernels() {}

    /** {@code sum} = of[0] + of[1] + …, as many floats as {@code sum} holds. */
    static void addInOrder(MemorySegment sum, MemorySegment[] of) {
        long whole = sum.byteSize() - sum.byteSize() % SPECIES.vectorByteSize();
        for (long at = 0; at < whole; at += SPECIES.vectorByteSize()) {
            FloatVector v = FloatVector.fromMemorySegment(SPECIES, of[0], at, ByteOrder.nativeOrder());
            for (int rank = 1; rank < of.length; rank++) {
                v = v.add(FloatVector.fromMemorySegment(SPECIES, of[rank], at, ByteOrder.nativeOrder()));
            }
            v.intoMemorySegment(sum, at, ByteOrder.nativeOrder());
        }
        tail(sum, of, whole);
    }

    private static void tail(MemorySegment sum, MemorySegment[] of, long from) {
        for (long at = from; at < sum.byteSize(); at += Float.BYTES) {
            float v = of[0].get(FLOAT, at);
            for (int rank = 1; rank < of.length; rank++) {
                v += of[rank].get(FLOAT, at);
            }
            sum.set(FLOAT, at, v);
        }
    }
}
