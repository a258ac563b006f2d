package pacer.activities.run;

/** The body of a stage ended early because it was told to. */
public final class StoppedException extends RuntimeException {
    private final transient StageContext.Stop stop;

    public StoppedException(StageContext.Stop stop, String message) {
        super(message);
        this.stop = stop;
    }

    public StageContext.Stop stop() {
        return stop;
    }
}
