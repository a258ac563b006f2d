package pacer.activities.run;

import java.util.Optional;

/** What the body of a stage has to do with whoever runs it. Safe to call from any thread. */
public interface StageContext {
    /** Nobody: listens to nothing and stops nothing. */
    StageContext NOBODY = new StageContext() {
        @Override
        public void progress(Progress newest) {}

        @Override
        public void notice(String text) {}

        @Override
        public Stop stop() {
            return Stop.NONE;
        }
    };

    /** Says how far it is. Cheap: only the newest is sent, now and then. */
    void progress(Progress progress);

    /** Tells people something. */
    void notice(String text);

    /** Whether it should come to an end soon, and why. */
    Stop stop();

    /** Why this host must not compute any more; what computes for the stage is to be ended at once. */
    default Optional<String> unfit() {
        return Optional.empty();
    }

    /**
     * Hears that this attempt failed.
     *
     * @return whether another one follows; then people have been told so
     */
    default boolean again(Exception failure) {
        return false;
    }

    /**
     * Ends the body when it should stop.
     *
     * @throws StoppedException when {@link #stop} says so
     */
    default void check() {
        Stop stop = stop();
        if (stop != Stop.NONE) {
            throw new StoppedException(stop, stop.told());
        }
    }

    /** Reasons to stop. */
    enum Stop {
        NONE(""),
        /** Somebody asked for it; it is not tried again. */
        REQUESTED("on request"),
        /** The worker shuts down; another attempt goes on. */
        WORKER_SHUTDOWN("the worker shuts down"),
        /** It has used up its budget; it is not tried again. */
        BUDGET("over budget"),
        /** Somebody paused or reset it; another attempt goes on later. */
        PAUSED("paused"),
        /** The service gave this attempt up; another one may be at work already. */
        ABANDONED("this attempt was given up by the service");

        private final String reason;

        Stop(String reason) {
            this.reason = reason;
        }

        public String reason() {
            return reason;
        }

        /** What the record of a stage that ended for it says. */
        public String told() {
            return "stopped: " + reason;
        }
    }
}
