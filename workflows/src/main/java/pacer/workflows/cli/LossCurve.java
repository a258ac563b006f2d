package pacer.workflows.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import pacer.activities.publishing.report.Quantities;
import pacer.activities.publishing.report.Scale;
import pacer.activities.publishing.report.Series;

/** Curves drawn with braille characters, two by four dots in each, the loss axis by its logarithm. */
final class LossCurve {
    private static final int[][] DOTS = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    private static final int LABEL = 7;

    private final int columns;
    private final int rows;
    private final Terminal terminal;
    private final List<Curve> curves = new ArrayList<>();

    private record Curve(Series points, Tone tone, boolean joined) {}

    LossCurve(int columns, int rows, Terminal terminal) {
        this.columns = columns;
        this.rows = rows;
        this.terminal = terminal;
    }

    /** Adds a line through {@code points}. */
    LossCurve line(Series points, Tone tone) {
        return add(new Curve(points.finite(), tone, true));
    }

    /** Adds single points, drawn fat. */
    LossCurve points(Series points, Tone tone) {
        return add(new Curve(points.finite(), tone, false));
    }

    private LossCurve add(Curve curve) {
        if (curve.points().size() > 0) {
            curves.add(curve);
        }
        return this;
    }

    /** Its lines, axis labels at the left and below; none where there is nothing to draw. */
    List<String> lines() {
        double[] x = extremes(true);
        double[] y = extremes(false);
        if (!(x[0] < x[1])) {
            return List.of();
        }
        Scale across = new Scale(x[0], x[1], false);
        Scale up = Scale.around(y[0], y[1], true);
        int[][] cells = new int[rows][columns];
        Tone[][] tones = new Tone[rows][columns];
        for (Curve curve : curves) {
            draw(curve, across, up, cells, tones);
        }
        List<String> lines = new ArrayList<>();
        for (int row = 0; row < rows; row++) {
            boolean labelled = row == 0 || row == rows - 1 || row == rows / 2;
            double value = up.value(1 - (row + 0.5) / rows);
            String label = labelled ? label(value) : "";
            lines.add(terminal.paint(Tone.QUIET, " ".repeat(Math.max(0, LABEL - 1 - label.length())) + label + " │")
                    + painted(cells[row], tones[row]));
        }
        lines.add(terminal.paint(Tone.QUIET, " ".repeat(LABEL) + "└" + "─".repeat(columns)));
        String from = Quantities.grouped(Math.round(x[0]));
        String to = Quantities.grouped(Math.round(x[1])) + " steps";
        int gap = Math.max(1, columns - from.length() - to.length());
        lines.add(terminal.paint(Tone.QUIET, " ".repeat(LABEL + 1) + from + " ".repeat(gap) + to));
        return lines;
    }

    /** A loss in the room there is: a run that goes astray reaches any size. */
    private static String label(double value) {
        for (String format : new String[] {"%.2f", "%.0f", "%.0e"}) {
            String label = String.format(Locale.ROOT, format, value);
            if (label.length() < LABEL) {
                return label;
            }
        }
        return "";
    }

    private void draw(Curve curve, Scale across, Scale up, int[][] cells, Tone[][] tones) {
        int width = 2 * columns;
        int height = 4 * rows;
        int lastX = -1;
        int lastY = -1;
        for (int i = 0; i < curve.points().size(); i++) {
            int px = (int) Math.min(width - 1, across.of(curve.points().x()[i]) * width);
            int py = (int) Math.min(height - 1, (1 - up.of(curve.points().y()[i])) * height);
            if (curve.joined() && lastX >= 0) {
                int length = Math.max(1, Math.max(Math.abs(px - lastX), Math.abs(py - lastY)));
                for (int s = 1; s <= length; s++) {
                    dot(lastX + (px - lastX) * s / length, lastY + (py - lastY) * s / length, curve, cells, tones);
                }
            } else {
                dot(px, py, curve, cells, tones);
            }
            lastX = px;
            lastY = py;
        }
    }

    private static void dot(int px, int py, Curve curve, int[][] cells, Tone[][] tones) {
        int row = py / 4;
        int column = px / 2;
        // a whole cell for a single point: one dot would drown in a line
        cells[row][column] = curve.joined() ? cells[row][column] | DOTS[py % 4][px % 2] : 0xFF;
        tones[row][column] = curve.tone();
    }

    private String painted(int[] cells, Tone[] tones) {
        StringBuilder line = new StringBuilder();
        for (int c = 0; c < cells.length; c++) {
            if (cells[c] == 0) {
                line.append(' ');
            } else {
                String shown = cells[c] == 0xFF ? "●" : Character.toString(0x2800 + cells[c]);
                line.append(terminal.paint(tones[c], shown));
            }
        }
        return line.toString().stripTrailing();
    }

    private double[] extremes(boolean across) {
        double low = Double.POSITIVE_INFINITY;
        double high = Double.NEGATIVE_INFINITY;
        for (Curve curve : curves) {
            for (double value : across ? curve.points().x() : curve.points().y()) {
                low = Math.min(low, value);
                high = Math.max(high, value);
            }
        }
        return new double[] {low, high};
    }
}
