package pacer.trainer.model;

/**
 * What a model computes anew, or piece by piece, rather than hold it in memory. Losses and gradients are the same bits at each
 * {@code recompute}; parts of the logits add up the head's gradient in another order.
 *
 * @param recompute what a backward pass computes anew, as llm.c counts: 0 nothing, 1 activations of the feed-forward layers, 2 normalised
 *     streams of the blocks as well
 * @param logitBytes that logits may take in fp32; where those of a pass take more, the head and the loss go by parts of the rows
 */
public record MemoryPolicy(int recompute, long logitBytes) {
    /** Logits of 2,048 tokens of GPT-2's vocabulary fit: as many as a pass of a large model has on the CPU. */
    private static final long STANDARD_LOGIT_BYTES = 1L << 29;

    /** Nothing is computed anew. */
    public static final MemoryPolicy STANDARD = recomputing(0);

    public MemoryPolicy {
        if (recompute < 0 || recompute > 2 || logitBytes < 1) {
            throw new IllegalArgumentException("recompute " + recompute + ", logits of " + logitBytes + " bytes");
        }
    }

    /** With the usual bound on logits. */
    public static MemoryPolicy recomputing(int recompute) {
        return new MemoryPolicy(recompute, STANDARD_LOGIT_BYTES);
    }

    boolean keepsActivated() {
        return recompute < 1;
    }

    boolean keepsNormed() {
        return recompute < 2;
    }
}
