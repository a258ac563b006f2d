package pacer.activities.run;

import java.time.Duration;
import java.util.Optional;
import pacer.trainer.durable.Host;

/** A stage's process ended before it was done; the message gives its own reason. */
public final class StageFailure extends RuntimeException {
    private final boolean retryable;
    private final boolean refusal;
    private final Duration pause; // null: as the stage's policy says

    public StageFailure(String message, boolean retryable) {
        this(message, retryable, false, null);
    }

    private StageFailure(String message, boolean retryable, boolean refusal, Duration pause) {
        super(message);
        this.retryable = retryable;
        this.refusal = refusal;
        this.pause = pause;
    }

    /** This one, after which another attempt begins in {@code pause}, if one does. */
    public StageFailure after(Duration pause) {
        StageFailure paused = new StageFailure(getMessage(), retryable, refusal, pause);
        paused.setStackTrace(getStackTrace());
        return paused;
    }

    /** The process refused what it was given. */
    public static StageFailure refused(String message) {
        return new StageFailure(message, false, true, null);
    }

    /**
     * This host must not compute any more.
     *
     * @param why what is wrong with it
     * @param what became of the stage
     */
    public static StageFailure ofHost(String why, String what) {
        return new StageFailure(
                "host %s is drained, %s; %s, and nothing is tried again on this host. `pacer resume` goes on from the newest checkpoint: on another host that shares the store (PACER_STORE), or on this one once its GPU is well and its worker is started again"
                        .formatted(Host.name(), why, what),
                false,
                false,
                null);
    }

    /** Whether what was given is at fault. */
    public boolean isRefusal() {
        return refusal;
    }

    /** Whether another attempt could get further. */
    public boolean retryable() {
        return retryable;
    }

    /** How long to wait before another attempt; empty: as the stage's policy says. */
    public Optional<Duration> pause() {
        return Optional.ofNullable(pause);
    }
}
