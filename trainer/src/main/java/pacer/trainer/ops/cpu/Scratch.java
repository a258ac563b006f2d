package pacer.trainer.ops.cpu;

import java.lang.foreign.Arena;
import java.util.Arrays;

/** Working memory of one thread: slots that grow to the largest size asked for and are then reused, so a step allocates nothing. */
final class Scratch implements AutoCloseable {
    static final int PANELS = 0;
    static final int TRANSPOSE = 1;
    static final int WIDE_A = 2;
    static final int WIDE_B = 3;
    static final int ROW = 4;
    static final int SCORES = 5;
    static final int SCORE_GRADIENTS = 6;
    static final int QUERIES = 7;
    static final int OUTPUTS = 8;
    static final int HEAD = 9;
    static final int STATISTICS = 10;
    static final int LOG_SUM_EXP = 11;
    private static final int SLOTS = 12;

    private final long[] address = new long[SLOTS];
    private final long[] capacity = new long[SLOTS];
    private final Arena[] arena = new Arena[SLOTS];

    /** At least {@code bytes} bytes (and a vector more), aligned to a cache line. What they hold is undefined. */
    long reserve(int slot, long bytes) {
        if (capacity[slot] < bytes) {
            if (arena[slot] != null) {
                arena[slot].close();
            }
            // shared, because the device that owns this may be closed by another thread
            arena[slot] = Arena.ofShared();
            capacity[slot] = bytes;
            address[slot] = arena[slot].allocate(bytes + 256, 64).address();
        }
        return address[slot];
    }

    /** Bytes that {@code slots} hold. */
    long bytes(int... slots) {
        return Arrays.stream(slots).mapToLong(slot -> capacity[slot]).sum();
    }

    @Override
    public void close() {
        for (int slot = 0; slot < SLOTS; slot++) {
            if (arena[slot] != null) {
                arena[slot].close();
                arena[slot] = null;
                capacity[slot] = 0;
            }
        }
    }
}
