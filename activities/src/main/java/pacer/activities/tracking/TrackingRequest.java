package pacer.activities.tracking;

/**
 * Asks for a run to be followed in MLflow.
 *
 * @param parent name of what the run is a part of, a record attempt or a reproduction, which has an MLflow run of its own; null where it is
 *     part of nothing
 * @param reproduction whether the model becomes its preset's champion when the run's verdict is passed; may be null
 */
public record TrackingRequest(String run, String parent, Boolean reproduction) {

    /** Asks for a run that is part of nothing. */
    public static TrackingRequest of(String run) {
        return new TrackingRequest(run, null, null);
    }
}
