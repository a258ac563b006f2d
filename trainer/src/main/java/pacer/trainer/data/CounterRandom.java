package pacer.trainer.data;

/**
 * Random numbers that are a function of what they are for instead of a state: SplitMix64's finalizer (Steele, Lea,
 * Flood 2014) over a key and a counter.
 */
final class CounterRandom {
    private static final long GOLDEN = 0x9E3779B97F4A7C15L;

    private CounterRandom() {}

    /** 64 random bits of number {@code counter} under {@code key}. */
    static long bits(long key, long counter) {
        return mix(mix(key + GOLDEN) + GOLDEN * (counter + 1));
    }

    /** A number from 0 to {@code bound} (exclusive); the bias of the multiplication is below bound / 2^64. */
    static long below(long bound, long key, long counter) {
        return Math.unsignedMultiplyHigh(bits(key, counter), bound);
    }

    private static long mix(long z) {
        z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
        z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
        return z ^ z >>> 31;
    }
}
