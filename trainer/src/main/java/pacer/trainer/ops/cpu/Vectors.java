package pacer.trainer.ops.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Off-heap memory by raw address, and the vector functions that all kernels share.
 *
 * <p>All access goes through one segment that spans the address space: as fast as arrays through vectors, ten times slower
 * through scalars, so scalars are for edges only. Nothing here checks bounds; {@link CpuOperations} checks shapes once an
 * operation.
 *
 * <p>Sums over lanes use {@link #sum}, never {@code reduceLanes(ADD)}, whose order differs between interpreter and compiled
 * code: results would then depend on when a method was compiled.
 */
final class Vectors {
    static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
    static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;
    /** Half a vector's width: as many shorts as {@link #F} has floats. */
    static final VectorSpecies<Short> S =
            VectorSpecies.of(short.class, VectorShape.forBitSize(Math.max(64, F.vectorBitSize() / 2)));

    /** Floats a vector. */
    static final int LANES = F.length();
    /** Bytes a vector. */
    static final int BYTES = LANES * Float.BYTES;

    static final ByteOrder ORDER = ByteOrder.nativeOrder();
    static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;

    private static final VectorShuffle<Float> HALF_8 = VectorShuffle.iota(F, LANES > 8 ? 8 : 0, 1, true);
    private static final VectorShuffle<Float> HALF_4 = VectorShuffle.iota(F, LANES > 4 ? 4 : 0, 1, true);
    private static final VectorShuffle<Float> HALF_2 = VectorShuffle.iota(F, LANES > 2 ? 2 : 0, 1, true);
    private static final VectorShuffle<Float> HALF_1 = VectorShuffle.iota(F, LANES > 1 ? 1 : 0, 1, true);

    private Vectors() {}

    static FloatVector load(long address) {
        return FloatVector.fromMemorySegment(F, ALL, address, ORDER);
    }

    static FloatVector load(long address, VectorMask<Float> mask) {
        return FloatVector.fromMemorySegment(F, ALL, address, ORDER, mask);
    }

    static IntVector loadInts(long address) {
        return IntVector.fromMemorySegment(I, ALL, address, ORDER);
    }

    /** 0, 1, 2 … */
    static IntVector iota() {
        return IntVector.zero(I).addIndex(1);
    }

    static void store(long address, FloatVector v) {
        v.intoMemorySegment(ALL, address, ORDER);
    }

    static void store(long address, FloatVector v, VectorMask<Float> mask) {
        v.intoMemorySegment(ALL, address, ORDER, mask);
    }

    /** The lanes below {@code remaining}. */
    static VectorMask<Float> first(long remaining) {
        return F.indexInRange(0L, remaining);
    }

    /** How many of {@code n} floats fill whole vectors. */
    static long whole(long n) {
        return n / LANES * LANES;
    }

    static float getFloat(long address) {
        return ALL.get(FLOAT, address);
    }

    static void putFloat(long address, float value) {
        ALL.set(FLOAT, address, value);
    }

    static int getInt(long address) {
        return ALL.get(INT, address);
    }

    static void copy(long from, long to, long bytes) {
        MemorySegment.copy(ALL, from, ALL, to, bytes);
    }

    static void zero(long address, long bytes) {
        ALL.asSlice(address, bytes).fill((byte) 0);
    }

    static FloatVector constant(float value) {
        return FloatVector.broadcast(F, value);
    }

    static FloatVector zeros() {
        return FloatVector.zero(F);
    }

    /** The sum of the lanes, halving the vector: an order that never changes. */
    static float sum(FloatVector v) {
        if (LANES > 16) {
            throw new AssertionError("vectors of " + LANES + " floats need one more halving");
        }
        if (LANES > 8) {
            v = v.add(v.rearrange(HALF_8));
        }
        if (LANES > 4) {
            v = v.add(v.rearrange(HALF_4));
        }
        if (LANES > 2) {
            v = v.add(v.rearrange(HALF_2));
        }
        if (LANES > 1) {
            v = v.add(v.rearrange(HALF_1));
        }
        return v.lane(0);
    }

    /** The largest lane; NaN when one is. Order does not matter to a maximum. */
    static float max(FloatVector v) {
        return v.reduceLanes(VectorOperators.MAX);
    }

    /** One vector of floats as bf16, rounded to nearest even; NaN stays NaN. */
    static ShortVector asBf16(FloatVector v) {
        IntVector bits = v.reinterpretAsInts();
        IntVector rounded =
                bits.add(bits.lanewise(VectorOperators.LSHR, 16).and(1).add(0x7fff));
        // a NaN's payload may sit in the lower half alone: force a quiet bit instead of rounding it away
        rounded = rounded.blend(
                bits.or(0x00400000), v.test(VectorOperators.IS_NAN).cast(I));
        return (ShortVector) rounded.lanewise(VectorOperators.LSHR, 16).convertShape(VectorOperators.I2S, S, 0);
    }

    /** One vector of bf16 as floats, exactly. */
    static FloatVector fromBf16(long address) {
        ShortVector v = ShortVector.fromMemorySegment(S, ALL, address, ORDER);
        return ((IntVector) v.convertShape(VectorOperators.S2I, I, 0))
                .lanewise(VectorOperators.LSHL, 16)
                .reinterpretAsFloats();
    }

    static short scalarToBf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) ((bits | 0x00400000) >>> 16);
        }
        return (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
    }
}
