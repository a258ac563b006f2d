package pacer.trainer.dist;

import pacer.trainer.ops.Tensor;

/** One rank alone: every sum is its own value. Refuses what a group would refuse, so that a mistake shows with one rank too. */
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
    public void allReduce(Tensor tensor) {
        HostMemory.ofSummable(tensor);
    }

    @Override
    public void reduceScatter(Tensor tensor) {
        HostMemory.ofSummable(tensor);
    }

    @Override
    public void allGather(Tensor tensor) {
        HostMemory.of(tensor);
    }

    @Override
    public void broadcast(Tensor tensor, int root) {
        HostMemory.of(tensor);
        if (root != 0) {
            throw new IllegalArgumentException("broadcast from rank " + root + " of a group of 1");
        }
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
