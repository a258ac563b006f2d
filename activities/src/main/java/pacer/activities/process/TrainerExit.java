package pacer.activities.process;

/** How a process of the trainer ended: the exit codes of docs/architecture.md. */
public enum TrainerExit {
    FINISHED("finished"),
    FAILED("failed"),
    BAD_INPUT("refused its input"),
    STOPPED("was stopped from outside"),
    FENCED("was fenced off: another attempt at this run has begun"),
    KILLED("was killed");

    private static final int KILLED_AT_ONCE = 128 + 9;

    private final String words;

    TrainerExit(String words) {
        this.words = words;
    }

    public static TrainerExit of(int code) {
        return switch (code) {
            case 0 -> FINISHED;
            case 2 -> BAD_INPUT;
            case 3 -> STOPPED;
            case 4 -> FENCED;
            default -> code > 128 ? KILLED : FAILED;
        };
    }

    /** What to say of it. */
    public String said(int code) {
        String signal = code == KILLED_AT_ONCE
                ? "signal 9 (as the system does where memory runs out)"
                : "signal " + (code - 128);
        return this == KILLED ? words + " by " + signal : words;
    }
}
