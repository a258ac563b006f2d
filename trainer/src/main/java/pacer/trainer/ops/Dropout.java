package pacer.trainer.ops;

/**
 * One use of dropout: element {@code i} of its tensor is dropped when a counter-based hash of (key, firstElement + i)
 * falls below {@code probability}. There is no state and no stored mask, so the backward pass recomputes it, a resumed run
 * repeats it, and it does not depend on how a batch is divided over lanes and ranks.
 *
 * @param probability chance of an element to be dropped, in [0, 1)
 * @param key mixes seed, step and place in the model
 * @param firstElement index, in the whole batch's tensor, of the first element of this share of it
 */
public record Dropout(float probability, long key, long firstElement) {

    /** No dropout. */
    public static final Dropout NONE = new Dropout(0f, 0, 0);

    /** Whether anything is dropped. */
    public boolean isActive() {
        return probability > 0f;
    }

    /** Threshold on the hash's upper 24 bits: dropped when below. */
    public int threshold() {
        return Math.round(probability * (1 << 24));
    }

    /** What survivors are multiplied by. */
    public float scale() {
        return 1f / (1f - probability);
    }

    /** Whether element {@code i} of this share survives. */
    public boolean keeps(long i) {
        return (hash((int) (key ^ (key >>> 32)), firstElement + i) >>> 8) >= threshold();
    }

    /**
     * 32 random bits of an element: Murmur3's finalizer (Appleby) over the element's index and the key. Chosen for being a
     * handful of 32-bit vector instructions on any device.
     */
    public static int hash(int key, long element) {
        int x = (int) element * 0x9E3779B9 ^ key ^ (int) (element >>> 32) * 0x85EBCA6B;
        x ^= x >>> 16;
        x *= 0x85EBCA6B;
        x ^= x >>> 13;
        x *= 0xC2B2AE35;
        return x ^ x >>> 16;
    }

    /** A key from the run's seed, the step and the place in the model (SplitMix64; Steele, Lea, Flood 2014). */
    public static long key(long seed, long step, int site) {
        long z = seed + 0x9E3779B97F4A7C15L * (step * 4096 + site + 1);
        z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
        z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
        return z ^ z >>> 31;
    }
}
