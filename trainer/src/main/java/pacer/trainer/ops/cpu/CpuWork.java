package pacer.trainer.ops.cpu;

import static pacer.trainer.ops.cpu.Vectors.getInt;

import pacer.trainer.ops.Operations;
import pacer.trainer.ops.Tensor;

/**
 * What the parts of the vocabulary share. Each part is an interface of default methods: {@link CpuOperations} is all of them over one crew.
 */
interface CpuWork extends Operations {
    /** Floats a member takes at least: less is not worth waking it. */
    int SMALL = 4096;

    Crew crew();

    /** Working memory of a member. */
    Scratch scratch(int member);

    /** Rows of {@code columns} floats that a member takes at least. */
    static int grain(int columns) {
        return Math.max(1, SMALL / columns);
    }

    /** Address of a column of a row. */
    static long at(Tensor t, long row, int column) {
        return t.rowAddress(row) + (long) column * t.dtype().bytes();
    }

    /** Element {@code i} of a contiguous I32 tensor. */
    static int integer(Tensor integers, long i) {
        return getInt(integers.address() + 4 * i);
    }

    /** Memory beyond a table's last row belongs to others. */
    static void requireRoom(Tensor past, int length, int room) {
        for (long b = 0; b < past.size(); b++) {
            int before = integer(past, b);
            if (before < 0 || before > room - length) {
                throw new IllegalArgumentException("sequence " + b + " has " + before + " positions; with " + length
                        + " new ones there must be 0 to " + (room - length));
            }
        }
    }
}
