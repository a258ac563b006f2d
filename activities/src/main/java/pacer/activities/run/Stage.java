package pacer.activities.run;

/** The stages of a run, in their order. */
public enum Stage {
    DATASET("dataset"),
    STAGE("stage"),
    TRAIN("train"),
    EVALUATE("evaluate"),
    PUBLISH("publish");

    private final String label;

    Stage(String label) {
        this.label = label;
    }

    /** Lower-case name for people. */
    public String label() {
        return label;
    }

    /** The same at the beginning of a line. */
    public String title() {
        return Character.toUpperCase(label.charAt(0)) + label.substring(1);
    }
}
