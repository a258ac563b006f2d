package pacer.workflows.cli;

/** What a command's exit code says. */
final class Exit {
    static final int OK = 0;
    /** It failed; trying again may help. */
    static final int FAILED = 1;
    /** What was given is wrong: options, settings, names, texts. */
    static final int USAGE = 2;
    /** Stopped on request; a checkpoint is kept and {@code resume} goes on from it. */
    static final int STOPPED = 3;
    /** The run finished, but its validation loss is above what its preset expects. */
    static final int MISSED = 4;

    private Exit() {}
}
