package pacer.activities.run;

/** How a run stands. Everything but {@link #FINISHED} can be gone on with. */
public enum RunStatus {
    /** Being worked on, or cut off without a chance to say so. */
    RUNNING,
    /** All stages done. */
    FINISHED,
    /** Over with an error. */
    FAILED,
    /** Ended on request; a later start goes on from the last checkpoint. */
    STOPPED
}
