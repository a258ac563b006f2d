package pacer.activities.publishing.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleFunction;

/**
 * A chart as HTML with an inline SVG. The SVG holds only shapes and is stretched to the width at hand; labels are HTML beside
 * it, so that they stay readable on a phone. {@code report.js} reads values back from the shapes to show them on hover.
 */
final class Chart {
    /** Points of a curve are gathered in this many buckets: enough for a wide screen, small for 100,000 steps. */
    private static final int BUCKETS = 600;

    /** The SVG's own units, both ways. */
    private static final int UNITS = 2000;

    private final String title;
    private final String unit;
    private final DoubleFunction<String> format;
    private final List<Curve> curves = new ArrayList<>();
    private final List<Reference> references = new ArrayList<>();
    private boolean lastFirst;
    private boolean log;
    private boolean fromZero;
    private int height = 190;

    private record Curve(String name, String style, Series points, boolean dots) {}

    private record Reference(double value, String label, Side side) {}

    /** Where a level's label stands: where the curves are not. Falling curves leave the lower left and the upper right. */
    enum Side {
        LEFT_BELOW,
        RIGHT_ABOVE
    }

    /** @param format how a value is said on hover */
    Chart(String title, String unit, DoubleFunction<String> format) {
        this.title = title;
        this.unit = unit;
        this.format = format;
    }

    /** Names first what is drawn last, above the others. */
    Chart lastFirst() {
        lastFirst = true;
        return this;
    }

    Chart log() {
        log = true;
        return this;
    }

    Chart fromZero() {
        fromZero = true;
        return this;
    }

    Chart height(int pixels) {
        height = pixels;
        return this;
    }

    /** A line; {@code style} is a CSS class: {@code faint}, {@code c1} … {@code c6}. */
    Chart line(String name, String style, Series points) {
        return add(new Curve(name, style, points.finite(), false));
    }

    /** Dots joined by a line. */
    Chart dots(String name, String style, Series points) {
        return add(new Curve(name, style, points.finite(), true));
    }

    /** A level to compare with, labelled. */
    Chart reference(double value, String label, Side side) {
        references.add(new Reference(value, label, side));
        return this;
    }

    private Chart add(Curve curve) {
        if (curve.points().size() > 0) {
            curves.add(curve);
        }
        return this;
    }

    String title() {
        return title;
    }

    /** Whether there is nothing to draw. */
    boolean isEmpty() {
        return curves.isEmpty();
    }

    /** The figure; of what is not empty. */
    String html() {
        Scale across = across();
        Scale up = up();
        StringBuilder out = new StringBuilder();
        out.append(
                "<figure class=\"chart\" data-x=\"%s %s\" data-y=\"%s %s\" data-log=\"%b\">\n<figcaption><b>%s</b> <i>%s</i>"
                        .formatted(
                                across.low(),
                                across.high(),
                                up.low(),
                                up.high(),
                                up.log(),
                                Html.escape(title),
                                Html.escape(unit)));
        out.append("<span class=\"legend\">");
        // several curves of one name, such as those of several seeds, have one key
        (lastFirst ? curves.reversed() : curves)
                .stream()
                        .map(curve -> "<span class=\"key %s%s\">%s</span>"
                                .formatted(curve.style(), curve.dots() ? " dot" : "", Html.escape(curve.name())))
                        .distinct()
                        .forEach(out::append);
        out.append("</span></figcaption>\n<div class=\"plot\" style=\"height:")
                .append(height)
                .append("px\">\n");
        svg(out, across, up);
        labels(out, across, up);
        out.append(
                "<div class=\"cursor\" hidden=\"\"></div><div class=\"tip\" hidden=\"\"></div>\n</div>\n</figure>\n");
        return out.toString();
    }

    private void svg(StringBuilder out, Scale across, Scale up) {
        out.append("<svg viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"%s\">\n"
                .formatted(UNITS, UNITS, Html.escape(spoken())));
        out.append("<path class=\"grid\" d=\"");
        up.ticks(5).forEach(t -> out.append("M0 ").append(y(up, t)).append("H").append(UNITS));
        out.append("\"/>\n");
        for (Reference reference : references) {
            out.append("<path class=\"reference\" d=\"M0 %sH%d\"/>\n".formatted(y(up, reference.value()), UNITS));
        }
        for (Curve curve : curves) {
            Series points = curve.points().thinned(BUCKETS);
            if (points.size() > 1) {
                out.append("<polyline class=\"").append(curve.style()).append("\"");
                name(out, curve).append(" points=\"");
                for (int i = 0; i < points.size(); i++) {
                    out.append(i == 0 ? "" : " ")
                            .append(x(across, points.x()[i]))
                            .append(',')
                            .append(y(up, points.y()[i]));
                }
                out.append("\"/>\n");
            }
            if (curve.dots() || points.size() == 1) {
                out.append("<path class=\"dot ").append(curve.style()).append("\"");
                out.append(" d=\"");
                for (int i = 0; i < points.size(); i++) {
                    // a line of no length with round ends: a dot that stays round however the SVG is stretched
                    out.append('M')
                            .append(x(across, points.x()[i]))
                            .append(' ')
                            .append(y(up, points.y()[i]))
                            .append("h0");
                }
                out.append("\"/>\n");
            }
        }
        out.append("</svg>\n");
    }

    private StringBuilder name(StringBuilder out, Curve curve) {
        double[] y = curve.points().y();
        return out.append(" data-name=\"%s\" data-last=\"%s\""
                .formatted(Html.escape(curve.name()), Html.escape(format.apply(y[y.length - 1]))));
    }

    private void labels(StringBuilder out, Scale across, Scale up) {
        out.append("<div class=\"ys\">");
        for (double tick : up.ticks(5)) {
            out.append("<span style=\"bottom:%s%%\">%s</span>".formatted(percent(up.of(tick)), label(tick)));
        }
        out.append("</div>\n<div class=\"xs\">");
        for (double tick : across.ticks(6)) {
            out.append("<span style=\"left:%s%%\">%s</span>".formatted(percent(across.of(tick)), label(tick)));
        }
        out.append("</div>\n");
        for (Reference reference : references) {
            double place = up.of(reference.value());
            boolean below = place > 0.88 || (place > 0.12 && reference.side() == Side.LEFT_BELOW);
            out.append("<div class=\"referencelabel%s%s\" style=\"bottom:%s%%\">%s</div>\n"
                    .formatted(
                            below ? " below" : "",
                            reference.side() == Side.RIGHT_ABOVE ? " right" : "",
                            percent(place),
                            Html.escape(reference.label())));
        }
    }

    private String spoken() {
        Curve curve = curves.getFirst();
        double[] y = curve.points().y();
        double[] x = curve.points().x();
        return "%s: %s from %s at %s to %s at %s"
                .formatted(
                        title,
                        curve.name(),
                        format.apply(y[0]),
                        Quantities.count(x[0]),
                        format.apply(y[y.length - 1]),
                        Quantities.count(x[x.length - 1]));
    }

    private Scale across() {
        double low = Double.POSITIVE_INFINITY;
        double high = Double.NEGATIVE_INFINITY;
        for (Curve curve : curves) {
            for (double x : curve.points().x()) {
                low = Math.min(low, x);
                high = Math.max(high, x);
            }
        }
        return low < high ? new Scale(low, high, false) : Scale.around(low, high, false);
    }

    private Scale up() {
        double low = fromZero ? 0 : Double.POSITIVE_INFINITY;
        double high = Double.NEGATIVE_INFINITY;
        for (Reference reference : references) {
            low = Math.min(low, reference.value());
            high = Math.max(high, reference.value());
        }
        for (Curve curve : curves) {
            for (double y : curve.points().y()) {
                low = Math.min(low, y);
                high = Math.max(high, y);
            }
        }
        return Scale.around(low, high, log);
    }

    private static String x(Scale across, double value) {
        return Long.toString(Math.round(across.of(value) * UNITS));
    }

    private static String y(Scale up, double value) {
        return Long.toString(Math.round((1 - up.of(value)) * UNITS));
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.2f", 100 * share);
    }

    private static String label(double tick) {
        double size = Math.abs(tick);
        if (size >= 10_000) {
            return Quantities.plain(tick / (size >= 1e6 ? 1e6 : 1e3), 4) + (size >= 1e6 ? "M" : "k");
        }
        if (size >= 1000) {
            return Quantities.grouped(Math.round(tick));
        }
        return size != 0 && size < 1e-3 ? Quantities.rate(tick) : Quantities.plain(tick, 4);
    }
}
