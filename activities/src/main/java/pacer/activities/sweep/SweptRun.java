package pacer.activities.sweep;

/** Where a run of a sweep is at work. */
public record SweptRun(String run, String host) {}
