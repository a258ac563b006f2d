package pacer.activities.dataset;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/** Closes a stream from which nothing has come for a while, so that a blocked read ends. */
final class StallWatch implements AutoCloseable {
    private final Duration patience;
    private final Thread thread;
    private volatile boolean fired;

    StallWatch(InputStream stream, Duration patience, AtomicLong received) {
        this.patience = patience;
        this.thread = Thread.ofVirtual().start(() -> watch(stream, received));
    }

    boolean fired() {
        return fired;
    }

    Duration patience() {
        return patience;
    }

    private void watch(InputStream stream, AtomicLong received) {
        try {
            long seen = -1;
            while (received.get() != seen) {
                seen = received.get();
                Thread.sleep(patience);
            }
            fired = true;
            stream.close();
        } catch (InterruptedException | IOException e) {
            return; // closed: the download goes on or is over
        }
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
