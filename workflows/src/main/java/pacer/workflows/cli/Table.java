package pacer.workflows.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Columns of text, each as wide as its widest cell. Cells may carry colours. */
final class Table {
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
                widths[i] = Math.max(widths[i], width(row[i]));
            }
        }
        for (String[] row : rows) {
            if (Arrays.stream(row).allMatch(String::isEmpty)) {
                continue;
            }
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < row.length; i++) {
                String blanks = " ".repeat(widths[i] - width(row[i]));
                line.append(i == 0 ? "" : "  ").append(right[i] ? blanks + row[i] : row[i] + blanks);
            }
            terminal.println(line.toString().stripTrailing());
        }
    }

    private static int width(String cell) {
        String bare = cell.replaceAll("\u001b\\[[0-9]*m", "");
        return bare.codePointCount(0, bare.length());
    }
}
