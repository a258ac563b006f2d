package pacer.trainer.ops;

/** Element type of a {@link Tensor}. */
public enum DType {
    F32(4),
    BF16(2),
    I32(4);

    private static final int CACHE_LINE = 64;

    private final int bytes;

    DType(int bytes) {
        this.bytes = bytes;
    }

    /** Bytes of one element. */
    public int bytes() {
        return bytes;
    }

    /** Row stride, in elements, of rows of {@code columns} that each begin on a cache line. */
    public long paddedStride(int columns) {
        long line = CACHE_LINE / bytes;
        return Math.ceilDiv(columns, line) * line;
    }
}
