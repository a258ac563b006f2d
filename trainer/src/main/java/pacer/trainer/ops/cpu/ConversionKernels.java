package pacer.trainer.ops.cpu;

import static pacer.trainer.ops.cpu.Vectors.ALL;
import static pacer.trainer.ops.cpu.Vectors.LANES;
import static pacer.trainer.ops.cpu.Vectors.ORDER;
import static pacer.trainer.ops.cpu.Vectors.getFloat;
import static pacer.trainer.ops.cpu.Vectors.load;
import static pacer.trainer.ops.cpu.Vectors.putFloat;
import static pacer.trainer.ops.cpu.Vectors.store;
import static pacer.trainer.ops.cpu.Vectors.whole;

import java.lang.foreign.ValueLayout;

/** Between fp32 and bf16. */
final class ConversionKernels {
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;

    private ConversionKernels() {}

    /** Rounds {@code n} floats to bf16. */
    static void toBf16(long from, long to, long n) {
        long whole = whole(n);
        for (long i = 0; i < whole; i += LANES) {
            Vectors.asBf16(load(from + i * 4)).intoMemorySegment(ALL, to + i * 2, ORDER);
        }
        for (long i = whole; i < n; i++) {
            ALL.set(SHORT, to + i * 2, Vectors.scalarToBf16(getFloat(from + i * 4)));
        }
    }

    /** Widens {@code n} bf16 to floats. */
    static void fromBf16(long from, long to, long n) {
        long whole = whole(n);
        for (long i = 0; i < whole; i += LANES) {
            store(to + i * 4, Vectors.fromBf16(from + i * 2));
        }
        for (long i = whole; i < n; i++) {
            putFloat(to + i * 4, Float.intBitsToFloat(ALL.get(SHORT, from + i * 2) << 16));
        }
    }
}
