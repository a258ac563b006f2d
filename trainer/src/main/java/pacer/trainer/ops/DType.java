package pacer.trainer.ops;

/** Element type of a {@link Tensor}. */
public enum DType {
    F32(4),
    BF16(2),
    I32(4);

    private final int bytes;

    DType(int bytes) {
        this.bytes = bytes;
    }

    /** Bytes of one element. */
    public int bytes() {
        return bytes;
    }
}
