package pacer.trainer.bench;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;

/**
 * Weights and tokens as functions of seed and place, so simple that another language has the same bits: both sides of a
 * benchmark start from equal weights, see equal batches, and must find equal losses.
 */
final class Formula {
    /** Standard deviation of the weights, GPT-2's. */
    private static final double DEVIATION = 0.02;
    /** From a signed 32-bit number to a uniform one of that deviation. */
    private static final float SCALE = (float) (DEVIATION * Math.sqrt(3) / 0x1p31);

    private Formula() {}

    /** Mixes the bits of a counter: {@code lowbias32} (Wellons 2018). */
    static int mix(int x) {
        x ^= x >>> 16;
        x *= 0x7feb352d;
        x ^= x >>> 15;
        x *= 0x846ca68b;
        return x ^ (x >>> 16);
    }

    /**
     * First values of a parameter: uniform of deviation 0.02; about 1 for gains.
     *
     * @param gain whether it is a norm's weight
     * @param to floats
     */
    static void weights(int seed, String name, boolean gain, MemorySegment to) {
        CRC32 crc = new CRC32();
        crc.update(name.getBytes(StandardCharsets.UTF_8));
        int key = mix((int) crc.getValue() ^ mix(seed));
        float base = gain ? 1f : 0f;
        long n = to.byteSize() / 4;
        for (long i = 0; i < n; i++) {
            to.setAtIndex(ValueLayout.JAVA_FLOAT, i, base + mix(key + (int) i) * SCALE);
        }
    }

    /** Inputs and targets, int32 (B, T) each, of micro-step {@code micro} of the step with number {@code step}: uniform tokens. */
    static void tokens(int seed, int step, int micro, int vocabulary, MemorySegment inputs, MemorySegment targets) {
        int key = mix(mix(mix(seed) + step) + micro);
        int n = (int) (inputs.byteSize() / 4);
        for (int i = 0; i < n; i++) {
            inputs.setAtIndex(ValueLayout.JAVA_INT, i, Integer.remainderUnsigned(mix(key + i), vocabulary));
            targets.setAtIndex(ValueLayout.JAVA_INT, i, Integer.remainderUnsigned(mix(key + n + i), vocabulary));
        }
    }
}
