package pacer.trainer.dist;

import pacer.trainer.ops.Tensor;

/**
 * What ranks do together. Every rank of a group makes the same calls in the same order; a call returns when its result is
 * there. Sums run in rank order whatever the timing, so results are bitwise repeatable. Implementations: one rank alone,
 * sockets between CPU processes, NCCL between GPUs.
 */
public interface Collectives extends AutoCloseable {

    int rank();

    int size();

    /** tensor = sum of every rank's tensor, on every rank. */
    void allReduce(Tensor tensor);

    /** shard r of {@code tensor} (see {@link #shardStart}) becomes the sum of every rank's shard r, on rank r alone. */
    void reduceScatter(Tensor tensor);

    /** Every rank's own shard of {@code tensor} becomes that shard everywhere. */
    void allGather(Tensor tensor);

    /** tensor = the tensor of rank {@code root}. */
    void broadcast(Tensor tensor, int root);

    /** Sum of one number per rank, in rank order; also how ranks agree to stop. */
    double allReduce(double value);

    /** Returns when every rank has called it. */
    void barrier();

    /** First element of shard {@code rank} of {@code elements} divided over {@link #size()} ranks, aligned to 64 elements. */
    default long shardStart(long elements, int rank) {
        long each = Math.ceilDiv(Math.ceilDiv(elements, size()), 64L) * 64L;
        return Math.min(elements, each * rank);
    }

    @Override
    void close();
}
