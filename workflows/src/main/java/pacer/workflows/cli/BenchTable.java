package pacer.workflows.cli;

import java.util.ArrayList;
import java.util.List;

/**
 * A table of a benchmark's results, for terminal and Markdown alike; the first column names, the others hold quantities.
 */
record BenchTable(List<String> heads, List<List<String>> rows) {
    BenchTable {
        heads = List.copyOf(heads);
        rows = List.copyOf(rows);
    }

    /** Prints it with columns as wide as needed. */
    void print(Terminal terminal) {
        String[] titles = heads.toArray(String[]::new);
        for (int i = 1; i < titles.length; i++) {
            titles[i] = ">" + titles[i];
        }
        Table table = new Table(terminal, titles);
        rows.forEach(row -> table.row(row.toArray(String[]::new)));
        table.print();
    }

    List<String> markdown() {
        List<String> lines = new ArrayList<>();
        lines.add("| " + String.join(" | ", heads) + " |");
        lines.add("|---|" + "--:|".repeat(heads.size() - 1));
        rows.forEach(row -> lines.add("| " + String.join(" | ", row) + " |"));
        return lines;
    }
}
