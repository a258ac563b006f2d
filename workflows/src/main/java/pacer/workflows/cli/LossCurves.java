package pacer.workflows.cli;

import java.util.List;
import java.util.stream.IntStream;
import pacer.activities.publishing.report.RunHistory;
import pacer.activities.publishing.report.Series;

/** Prints the loss of one or two runs as curves. */
final class LossCurves {
    private static final int COLUMNS = 60;
    private static final int ROWS = 10;
    private static final int POINTS = 20;

    private LossCurves() {}

    /** A loss without the noise of single batches. */
    static Series calmed(Series loss) {
        return loss.smoothed(loss.size() < 30 ? 0 : Math.max(2, loss.size() / 60));
    }

    /** Of many points some, evenly, the last one among them. */
    private static Series some(Series all) {
        int[] kept = IntStream.rangeClosed(1, POINTS)
                .map(i -> (int) ((long) all.size() * i / POINTS) - 1)
                .filter(i -> i >= 0)
                .distinct()
                .toArray();
        return new Series(
                IntStream.of(kept).mapToDouble(i -> all.x()[i]).toArray(),
                IntStream.of(kept).mapToDouble(i -> all.y()[i]).toArray());
    }

    /** One run: training and validation; two: their training, and validation where neither has much of the other. */
    static void print(Terminal out, List<RunHistory> runs) {
        LossCurve curve = new LossCurve(Math.min(COLUMNS, Math.max(20, out.columns() - 12)), ROWS, out);
        String legend;
        if (runs.size() == 1) {
            curve.line(calmed(runs.getFirst().loss()), Tone.ACCENT)
                    .points(runs.getFirst().validationLoss(), Tone.SECOND);
            legend = out.paint(Tone.ACCENT, "⠤⠤ training loss") + "  " + out.paint(Tone.SECOND, "● validation loss");
        } else {
            curve.line(calmed(runs.get(0).loss()), Tone.ACCENT);
            Series other = calmed(runs.get(1).loss());
            if (out.color()) {
                curve.line(other, Tone.SECOND);
            } else { // two lines would look alike
                curve.points(some(other), Tone.SECOND);
            }
            legend = out.paint(Tone.ACCENT, "⠤⠤ training loss of A") + "  "
                    + out.paint(Tone.SECOND, (out.color() ? "⠤⠤" : "●") + " of B");
        }
        List<String> lines = curve.lines();
        if (!lines.isEmpty()) {
            out.println("");
            lines.forEach(out::println);
            out.println("        " + legend);
        }
    }
}
