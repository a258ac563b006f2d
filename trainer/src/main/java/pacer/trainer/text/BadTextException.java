package pacer.trainer.text;

/** What is wrong with a block of text, and where in it; whoever knows the file makes an error for people of it. */
final class BadTextException extends RuntimeException {
    private final int at;

    /**
     * A fault.
     *
     * @param at byte of the block, or, in a block of lines, the line, each from 0
     */
    BadTextException(int at, String message) {
        super(message);
        this.at = at;
    }

    int at() {
        return at;
    }
}
