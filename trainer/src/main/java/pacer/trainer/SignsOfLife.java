package pacer.trainer;

import java.time.Instant;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import pacer.trainer.event.TrainingEvent;

/**
 * Events on their way out, with signs of life between them: where nothing was told for a while, a piece of work that is done is
 * told as {@link TrainingEvent.Working}. Who hears nothing for much longer than a piece takes may take the process for hung,
 * however long the whole takes; where events are frequent nothing is added.
 */
final class SignsOfLife implements Consumer<TrainingEvent> {
    /** Often enough for whoever looks on; a long step of a long run adds a line a few seconds to a pipe, and none to a file. */
    private static final long PAUSE_NANOS = 2_000_000_000;

    private final Consumer<TrainingEvent> events;
    private final LongSupplier nanos;
    private long lastTold;

    /**
     * Tells {@code events}.
     *
     * @param nanos a clock, from anywhere
     */
    SignsOfLife(Consumer<TrainingEvent> events, LongSupplier nanos) {
        this.events = events;
        this.nanos = nanos;
        this.lastTold = nanos.getAsLong();
    }

    @Override
    public void accept(TrainingEvent event) {
        events.accept(event);
        lastTold = nanos.getAsLong();
    }

    /**
     * To be called when a piece of work is done, never because time has passed: it is progress that is told.
     *
     * @return whether it was time to tell
     */
    boolean worked(int step, TrainingEvent.Working.Phase phase, long done, long total) {
        if (nanos.getAsLong() - lastTold < PAUSE_NANOS) {
            return false;
        }
        accept(new TrainingEvent.Working(Instant.now(), step, phase, done, total));
        return true;
    }
}
