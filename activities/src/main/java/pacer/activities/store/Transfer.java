package pacer.activities.store;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Runs what may block for minutes in a socket on a thread of its own, so that whoever waits can be heard of and stop it: an
 * interrupt ends a virtual thread's wait for a socket.
 */
final class Transfer {
    private static final long TICK_MILLIS = 100;

    /** For what is broken off to tidy up behind it, over a slow line perhaps. */
    private static final Duration LAST_WORDS = Duration.ofSeconds(10);

    private Transfer() {}

    /** What is to be done; adds to {@code moved} what it has moved, and sets it back where it begins anew. */
    @FunctionalInterface
    interface Work<T> {
        T run(AtomicLong moved) throws IOException, InterruptedException;
    }

    static <T> T run(long bytes, TransferListener listener, Work<T> work) throws IOException, InterruptedException {
        AtomicLong moved = new AtomicLong();
        FutureTask<T> task = new FutureTask<>(() -> work.run(moved));
        Thread thread = Thread.ofVirtual().name("store").unstarted(task);
        listener.moved(0, bytes);
        thread.start();
        try {
            while (true) {
                try {
                    return task.get(TICK_MILLIS, TimeUnit.MILLISECONDS);
                } catch (TimeoutException e) {
                    listener.moved(Math.min(moved.get(), bytes), bytes);
                }
            }
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case IOException io -> throw io;
                case RuntimeException fault -> throw fault;
                case Error error -> throw error;
                default -> throw new IllegalStateException(e.getCause());
            }
        } finally {
            if (!task.isDone()) {
                thread.interrupt();
                boolean _ = thread.join(LAST_WORDS);
            }
        }
    }
}
