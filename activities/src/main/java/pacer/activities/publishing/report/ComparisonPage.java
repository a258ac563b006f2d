package pacer.activities.publishing.report;

import static pacer.activities.publishing.report.Html.escape;

import java.io.IOException;
import java.util.List;
import java.util.function.Function;

/**
 * A page that compares settings: their curves together, and a table.
 *
 * @param id of what compares them
 * @param title above all
 * @param about a paragraph
 * @param headline what it came to
 * @param good whether that is a result
 * @param columns heads of the contenders' cells
 * @param contenders the best first
 * @param command that goes on with the best; null for none
 * @param runs a row each: id, settings, seed, what became of it
 */
public record ComparisonPage(
        String id,
        String title,
        String about,
        String headline,
        boolean good,
        List<String> columns,
        List<Contender> contenders,
        String command,
        List<List<String>> runs) {
    /** As many have a colour of their own; the others are faint. */
    private static final int COLOURS = 6;

    private static final int TALL = 340;

    /** So many characters of settings keep to one line. */
    private static final int NARROW = 24;

    /**
     * One choice of settings.
     *
     * @param training a curve a run
     * @param validation likewise
     */
    public record Contender(String name, List<Series> training, List<Series> validation, List<String> cells) {}

    /** The page as text. */
    public String html() throws IOException {
        return Frame.ofReports().html(title + " · " + id, header() + charts() + table() + each());
    }

    private String header() {
        return """
                <header>
                <div><p class="brand"><b>pacer</b> · %s</p><h1>%s</h1><p class="about">%s</p></div>
                </header>
                <p class="verdict %s">%s</p>
                """.formatted(escape(id), escape(title), escape(about), good ? "good" : "plain", escape(headline));
    }

    private String charts() {
        Chart validation = chart("Validation loss", Contender::validation, true);
        Chart training = chart("Training loss, smoothed", Contender::training, false);
        String drawn = (validation.isEmpty() ? "" : validation.html()) + (training.isEmpty() ? "" : training.html());
        return "<h2>Curves</h2>\n"
                + (drawn.isEmpty()
                        ? "<p class=\"none\">No run has ended yet.</p>\n"
                        : "<div class=\"stacked\">\n" + drawn + "</div>\n");
    }

    private Chart chart(String name, Function<Contender, List<Series>> curves, boolean dots) {
        Chart chart = new Chart(name, "nats a token", Quantities::loss)
                .log()
                .lastFirst()
                .height(TALL);
        for (int i = contenders.size() - 1; i >= 0; i--) { // the best above the others
            Contender contender = contenders.get(i);
            String label = i < COLOURS ? contender.name() : "the others";
            for (Series curve : curves.apply(contender)) {
                if (dots) {
                    chart.dots(label, style(i), curve);
                } else {
                    chart.line(label, style(i), curve);
                }
            }
        }
        return chart;
    }

    private static String style(int place) {
        return place < COLOURS ? "c" + (place + 1) : "faint";
    }

    private String table() {
        StringBuilder rows = new StringBuilder();
        for (int i = 0; i < contenders.size(); i++) {
            rows.append("<tr><td><span class=\"swatch %s\"></span>%s</td>"
                    .formatted(style(i), escape(contenders.get(i).name())));
            for (int c = 0; c < columns.size(); c++) {
                rows.append(cell(c, "td", contenders.get(i).cells().get(c)));
            }
            rows.append("</tr>\n");
        }
        StringBuilder heads = new StringBuilder("<th>point</th>");
        for (int c = 0; c < columns.size(); c++) {
            heads.append(cell(c, "th", columns.get(c)));
        }
        String next = command == null
                ? ""
                : "<p class=\"next\">To train with the best's settings:</p>\n<pre>%s</pre>\n"
                        .formatted(escape(command));
        return "<h2>Points, the best first</h2>\n<div class=\"card\"><table><thead><tr>%s</tr></thead><tbody>\n%s</tbody></table>\n%s</div>\n"
                .formatted(heads, rows, next);
    }

    /** Numbers, but for the last column, which is text; of numbers the outer ones give way on narrow screens. */
    private String cell(int column, String element, String text) {
        int last = columns.size() - 1;
        String style = column == last
                ? ""
                : column == 0 || column == last - 1 ? " class=\"number optional\"" : " class=\"number\"";
        return "<%s%s>%s</%s>".formatted(element, style, escape(text), element);
    }

    private String each() {
        if (runs.isEmpty()) {
            return "";
        }
        StringBuilder rows = new StringBuilder();
        for (List<String> run : runs) {
            rows.append(
                    "<tr><td class=\"name\"><code>%s</code></td><td class=\"optional%s\">%s</td><td class=\"number\">%s</td><td>%s</td></tr>\n"
                            .formatted(
                                    escape(run.get(0)),
                                    run.get(1).length() <= NARROW ? " name" : "",
                                    escape(run.get(1)),
                                    escape(run.get(2)),
                                    escape(run.get(3))));
        }
        return "<h2>Runs</h2>\n<div class=\"card\"><table><thead><tr><th>run</th><th class=\"optional\">point</th><th class=\"number\">seed</th><th>what became of it</th></tr></thead><tbody>\n%s</tbody></table></div>\n"
                .formatted(rows);
    }
}
