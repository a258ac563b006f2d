package pacer.trainer.optim;

/**
 * Over how many ranks the optimizer's state is divided (ZeRO stage 1, Rajbhandari et al. 2020), and which part is this one's. Each updates its part
 * of the parameters, and tells the others.
 *
 * @param rank of this process
 * @param ranks that share the state; 1: this one has it all
 */
public record Sharding(int rank, int ranks) {
    /** Every rank has all of it. */
    public static final Sharding NONE = new Sharding(0, 1);

    public Sharding {
        if (rank < 0 || rank >= ranks) {
            throw new IllegalArgumentException(
                    "rank " + rank + " of " + ranks + " ranks cannot be; ranks count from 0");
        }
    }
}
