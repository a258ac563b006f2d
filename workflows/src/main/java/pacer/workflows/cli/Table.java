package pacer.workflows.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Columns of text, each as wide as its widest cell. Cells may carry colours. On a terminal a last cell that is too long goes on
 * below itself or, where that leaves it no room, below its row.
 */
final class Table {
    private static final int LEAST = 24;
    private static final int MARGIN = 4;

    private final Terminal terminal;
    private final List<String[]> rows = new ArrayList<>();
    private final boolean[] right;

    /** @param heads titles; one that begins with {@code >} stands at the right */
    Table(Terminal terminal, String... heads) {
        this.terminal = terminal;
        this.right = new boolean[heads.length];
        String[] titles = new String[heads.length];
        for (int i = 0; i < heads.length; i++) {
            right[i] = heads[i].startsWith(">");
            titles[i] = terminal.paint(Tone.QUIET, right[i] ? heads[i].substring(1) : heads[i]);
        }
        rows.add(titles);
    }

    Table row(String... cells) {
        rows.add(cells);
        return this;
    }

    void print() {
        int[] widths = new int[right.length];
        for (String[] row : rows) {
            for (int i = 0; i < row.length; i++) {
                widths[i] = Math.max(widths[i], Terminal.width(row[i]));
            }
        }
        for (String[] row : rows) {
            if (Arrays.stream(row).allMatch(String::isEmpty)) {
                continue;
            }
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < row.length; i++) {
                String blanks = " ".repeat(widths[i] - Terminal.width(row[i]));
                line.append(i == 0 ? "" : "  ").append(right[i] ? blanks + row[i] : row[i] + blanks);
            }
            printFitted(line.toString().stripTrailing(), row, widths);
        }
    }

    private void printFitted(String line, String[] row, int[] widths) {
        int last = row.length - 1;
        if (!terminal.interactive() || right[last] || Terminal.width(line) <= terminal.columns()) {
            terminal.println(line);
            return;
        }
        int start = 2 * last + Arrays.stream(widths).limit(last).sum();
        String head =
                line.substring(0, line.length() - row[last].stripTrailing().length());
        boolean beside = terminal.columns() - start >= LEAST;
        int margin = beside ? start : MARGIN;
        if (!beside) {
            terminal.println(head.stripTrailing());
        }
        String before = beside ? head : " ".repeat(margin);
        for (String part : Terminal.wrapped(row[last].stripTrailing(), Math.max(LEAST, terminal.columns() - margin))) {
            terminal.println(before + part);
            before = " ".repeat(margin);
        }
    }
}
