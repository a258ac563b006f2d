package pacer.workflows.cli;

/** Prints text that comes piece by piece; on a terminal a word that does not fit begins a new line. */
final class WordWrap {
    private final Terminal terminal;
    private final int width;
    private final StringBuilder word = new StringBuilder();
    private int wordWidth;
    private int column;

    WordWrap(Terminal terminal) {
        this.terminal = terminal;
        this.width = terminal.interactive() ? terminal.columns() : Integer.MAX_VALUE;
    }

    /** Takes a piece that may end within a word, in the colour of {@code tone}, which may be null. */
    void print(String text, Tone tone) {
        text.codePoints().forEach(c -> {
            if (c == '\n' || c == ' ' || c == '\t') {
                blank(c);
            } else {
                String letter = Character.toString(c);
                word.append(tone == null ? letter : terminal.paint(tone, letter));
                wordWidth++;
            }
        });
        if (!terminal.interactive()) {
            flush();
        }
        terminal.out().flush();
    }

    private void blank(int c) {
        flush();
        if (c == '\n') {
            terminal.out().print("\n");
            column = 0;
        } else if (column < width - 1) {
            terminal.out().print((char) c);
            column += c == '\t' ? 8 - column % 8 : 1;
        } // else the line's end is the blank
    }

    private void flush() {
        if (column > 0 && column + wordWidth > width) {
            terminal.out().print("\n");
            column = 0;
        }
        terminal.out().print(word);
        column += wordWidth;
        word.setLength(0);
        wordWidth = 0;
    }

    /** Prints what is left, and ends the line. */
    void end() {
        flush();
        terminal.println("");
    }
}
