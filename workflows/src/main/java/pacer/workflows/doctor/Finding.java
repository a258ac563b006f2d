package pacer.workflows.doctor;

/**
 * What was found of one thing.
 *
 * @param text what it is, or what is wrong with it
 * @param remedy what to do; null where nothing is to be done
 */
public record Finding(String name, State state, String text, String remedy) {

    /** How serious it is. */
    public enum State {
        GOOD,
        /** Works, but less well than it could. */
        POOR,
        BAD
    }

    public static Finding good(String name, String text) {
        return new Finding(name, State.GOOD, text, null);
    }

    static Finding poor(String name, String text, String remedy) {
        return new Finding(name, State.POOR, text, remedy);
    }

    static Finding bad(String name, String text, String remedy) {
        return new Finding(name, State.BAD, text, remedy);
    }
}
