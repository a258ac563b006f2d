package pacer.activities.run;

import io.temporal.activity.Activity;
import io.temporal.activity.ActivityExecutionContext;
import io.temporal.client.ActivityCompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Heartbeats of an activity that is no stage and cannot be stopped: they tell nothing but that its worker lives. */
final class Heartbeats implements AutoCloseable {
    private static final long BEAT_MILLIS = 500;

    private final ActivityExecutionContext context = Activity.getExecutionContext();
    private final CountDownLatch ended = new CountDownLatch(1);

    private Heartbeats() {}

    /** Begins those of the activity at hand. */
    static Heartbeats begin() {
        Heartbeats beats = new Heartbeats();
        Thread.ofVirtual().name("heartbeat-open").start(beats::beat);
        return beats;
    }

    private void beat() {
        try {
            do {
                context.heartbeat(null);
            } while (!ended.await(BEAT_MILLIS, TimeUnit.MILLISECONDS));
        } catch (ActivityCompletionException e) {
            return; // given up: the service takes no answer of it
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts this thread", e);
        }
    }

    @Override
    public void close() {
        ended.countDown();
    }
}
