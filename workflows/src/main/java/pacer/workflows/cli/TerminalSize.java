package pacer.workflows.cli;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/** Columns of a terminal, followed while its window changes. */
final class TerminalSize {
    private static final int STANDARD = 80;

    private volatile int columns;

    private TerminalSize(int columns) {
        this.columns = columns;
    }

    static TerminalSize fixed(int columns) {
        return new TerminalSize(columns);
    }

    /** From {@code columns} as the launcher found them; 80 where that is no sensible number. */
    static TerminalSize of(String columns) {
        TerminalSize size = new TerminalSize(STANDARD);
        size.set(columns);
        return size;
    }

    int columns() {
        return columns;
    }

    /** Asks the terminal again whenever its window changes. */
    void follow() {
        Signals.on("WINCH", () -> Thread.ofVirtual().start(this::ask));
    }

    private void ask() {
        try {
            Process stty = new ProcessBuilder("stty", "size")
                    .redirectInput(new File("/dev/tty"))
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            String[] answer = new String(stty.getInputStream().readAllBytes(), StandardCharsets.US_ASCII)
                    .strip()
                    .split(" ", -1);
            if (stty.waitFor(1, TimeUnit.SECONDS) && answer.length == 2) {
                set(answer[1]);
            }
        } catch (IOException e) {
            return; // no terminal to ask: the width stays as it was
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void set(String text) {
        if (text.matches("[0-9]{1,4}")) {
            int number = Integer.parseInt(text);
            columns = number >= 20 ? number : columns;
        }
    }
}
