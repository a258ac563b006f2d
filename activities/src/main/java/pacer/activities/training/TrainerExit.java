package pacer.activities.training;

/** How a trainer process ended: the exit codes of docs/architecture.md. */
enum TrainerExit {
    FINISHED,
    FAILED,
    BAD_INPUT,
    STOPPED,
    FENCED,
    KILLED;

    static TrainerExit of(int code) {
        return switch (code) {
            case 0 -> FINISHED;
            case 2 -> BAD_INPUT;
            case 3 -> STOPPED;
            case 4 -> FENCED;
            default -> code > 128 ? KILLED : FAILED;
        };
    }
}
