package pacer.activities.store;

/** Watches a transfer. */
@FunctionalInterface
public interface TransferListener {
    /** Nobody. */
    TransferListener NOBODY = (done, all) -> {};

    /**
     * Hears some ten times a second, also when nothing moves, on the thread that asked for the transfer, how many bytes have been
     * moved. By throwing it ends the transfer, wherever that is.
     */
    void moved(long done, long all);
}
