package pacer.workflows.cli;

/** What a stretch of text means; terminals that have colours show it in one. */
enum Tone {
    GOOD("32"),
    BAD("31"),
    WARN("33"),
    /** What the eye should find first. */
    STRONG("1"),
    /** What it may pass over. */
    QUIET("2"),
    /** Curves and bars. */
    ACCENT("36"),
    /** A second curve beside the first. */
    SECOND("33");

    private final String code;

    Tone(String code) {
        this.code = code;
    }

    String paint(String text) {
        return "\u001b[" + code + "m" + text + "\u001b[0m";
    }
}
