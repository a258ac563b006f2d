package pacer.trainer.data;

/**
 * A random order of 0 … size-1 that needs no memory, however large: a Feistel network over the next even number of
 * bits, applied again while its result lies outside (cycle walking; Black and Rogaway, "Ciphers with arbitrary finite
 * domains", 2002). The domain is less than four times the size, so that takes fewer than four turns on average.
 */
final class Permutation {
    private static final int ROUNDS = 8;

    private final long size;
    private final long key;
    private final int halfBits;
    private final long mask;

    /** An order of {@code size} numbers (at least 1), drawn by {@code key}. */
    Permutation(long size, long key) {
        if (size < 1 || size > 1L << 62) {
            throw new IllegalArgumentException("size " + size);
        }
        this.size = size;
        this.key = key;
        int bits = Long.SIZE - Long.numberOfLeadingZeros(size - 1);
        this.halfBits = Math.max(1, (bits + 1) / 2);
        this.mask = (1L << halfBits) - 1;
    }

    /** What stands at place {@code index}. */
    long at(long index) {
        if (index < 0 || index >= size) {
            throw new IndexOutOfBoundsException(index + " of " + size);
        }
        long x = index;
        do {
            x = encrypt(x);
        } while (x >= size);
        return x;
    }

    private long encrypt(long x) {
        long left = x >>> halfBits;
        long right = x & mask;
        for (int round = 0; round < ROUNDS; round++) {
            // the upper bits of the hash: with halves of one bit, a round uses one bit of it
            long f = CounterRandom.bits(key + round, right) >>> (Long.SIZE - halfBits);
            long next = left ^ f;
            left = right;
            right = next;
        }
        return left << halfBits | right;
    }
}
