package pacer.trainer.dist;

import pacer.trainer.ops.Tensor;

/** One rank alone: every sum has one term. */
public final class SoloCollectives implements Collectives {

    @Override
    public int rank() {
        return 0;
    }

    @Override
    public int size() {
        return 1;
    }

    @Override
    public void allReduce(Tensor tensor) {}

    @Override
    public void reduceScatter(Tensor tensor, Partition partition) {}

    @Override
    public void allGather(Tensor tensor, Partition partition) {}

    @Override
    public void broadcast(Tensor tensor, int root) {
        if (root != 0) {
            throw new IllegalArgumentException("there is no rank " + root + "; this one is alone");
        }
    }

    @Override
    public void send(Tensor tensor, int from, int to) {
        throw new IllegalArgumentException("rank " + from + " cannot send to rank " + to + "; one is alone");
    }

    @Override
    public double allReduce(double value) {
        return value;
    }

    @Override
    public void barrier() {}

    @Override
    public void close() {}
}
