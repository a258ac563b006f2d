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

    /** Shard r of {@code tensor} becomes the sum of every rank's shard r, on rank r alone; the same bits as {@link #allReduce(Tensor)}'s. */
    void reduceScatter(Tensor tensor, Partition partition);

    /** Every rank's own shard of {@code tensor} becomes that shard everywhere. */
    void allGather(Tensor tensor, Partition partition);

    /** tensor = the tensor of rank {@code root}. */
    void broadcast(Tensor tensor, int root);

    /** The tensor of rank {@code to} = that of rank {@code from}; the others' stay, and may be null. */
    void send(Tensor tensor, int from, int to);

    /** Sum of one number per rank, in rank order; also how ranks agree to stop. */
    double allReduce(double value);

    /** Returns when every rank has called it. */
    void barrier();

    @Override
    void close();
}
