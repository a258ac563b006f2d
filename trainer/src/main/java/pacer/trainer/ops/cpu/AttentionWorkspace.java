package pacer.trainer.ops.cpu;

import pacer.trainer.ops.DType;

/**
 * Working memory that attention takes beside tensors. It is planned in processes that only start trainings as well, which do without the module of
 * the vectors: nothing here may load a class of that.
 */
final class AttentionWorkspace {
    /** Of the widest vectors there are, 512 bits: the plan of a process that has none is for these. */
    private static final int MOST_LANES = 16;

    private static final int LANES =
            ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent() ? Vectors.LANES : MOST_LANES;

    /** A panel's, as {@link AttentionKernels#QUERIES}. */
    private static final int QUERIES = 2 * LANES;

    /** Bytes between the scores of one key and of the next. */
    private static final long ROW = 4L * QUERIES;

    private AttentionWorkspace() {}

    /** Of a device; as {@link CpuDevice#attentionWorkspace}. */
    static long bytes(int threads, int heads, int length, int width, DType output, DType gradients) {
        boolean whole = width % LANES == 0;
        int results = !whole || gradients != DType.F32 ? 3 : output != DType.F32 ? 1 : 0;
        return Math.min(threads, heads) * ofThread(length, width, results);
    }

    /**
     * Bytes that a thread takes for the forward and backward pass of sequences of {@code length}, head by head.
     *
     * @param results that go through {@link AttentionHead#resultScratch} at once, 0 where all are written straight
     */
    private static long ofThread(int length, int width, int results) {
        long padded = Math.ceilDiv(width, LANES) * (long) LANES;
        long panels = ROW * Math.ceilDiv(length, QUERIES) * width; // queries, and the gradient of outputs
        return 2 * ROW * length + 3 * ROW + 2 * panels + 4L * results * length * padded;
    }
}
