package pacer.activities.process;

import java.time.Duration;

/** How long nothing was heard of processes that tell of their work: those silent for too long are taken for hung. */
public final class Silence {
    private volatile long since = System.nanoTime();

    /** To be called when something was heard. */
    public void broken() {
        since = System.nanoTime();
    }

    /** Whether nothing was heard for longer than {@code patience}. */
    public boolean isLongerThan(Duration patience) {
        return System.nanoTime() - since > patience.toNanos();
    }
}
