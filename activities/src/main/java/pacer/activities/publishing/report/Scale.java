package pacer.activities.publishing.report;

import java.util.ArrayList;
import java.util.List;

/** Maps values to 0 (low end) … 1 (high end) of an axis, evenly or by their logarithm. */
public record Scale(double low, double high, boolean log) {

    /** An axis that holds all of {@code low … high} with a little air. */
    public static Scale around(double low, double high, boolean log) {
        if (!(low < high)) {
            double air = low == 0 ? 1 : Math.abs(low) * 0.1;
            return new Scale(low - air, high + air, false);
        }
        boolean byLog = log && low > 0;
        if (byLog) {
            double air = Math.pow(high / low, 0.05);
            return new Scale(low / air, high * air, true);
        }
        double air = (high - low) * 0.05;
        // an axis of amounts begins at nothing, not beneath it
        return new Scale(low >= 0 && low - air < 0 ? 0 : low - air, high + air, false);
    }

    /** Where {@code value} stands on the axis, 0 to 1; what is beyond it stands at its end. */
    public double of(double value) {
        double share = log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
        return Math.clamp(share, 0, 1);
    }

    /** The value that stands at {@code share} of the axis. */
    public double value(double share) {
        return log ? low * Math.pow(high / low, share) : low + (high - low) * share;
    }

    /** About {@code wanted} round values within the axis. */
    public List<Double> ticks(int wanted) {
        if (!log || high / low < 3) {
            return even(wanted);
        }
        for (double[] steps : new double[][] {{1, 1.5, 2, 3, 4, 5, 7}, {1, 2, 3, 5}, {1, 2, 5}, {1, 3}, {1}}) {
            List<Double> found = decades(steps, 1);
            if (found.size() <= wanted + 1) {
                return found;
            }
        }
        int skipped = 2;
        while (decades(new double[] {1}, skipped).size() > wanted + 1) {
            skipped++;
        }
        return decades(new double[] {1}, skipped);
    }

    private List<Double> even(int wanted) {
        double rough = (high - low) / wanted;
        double power = Math.pow(10, Math.floor(Math.log10(rough)));
        double step = 10 * power;
        for (double factor : new double[] {5, 2.5, 2, 1}) {
            step = factor * power >= rough ? factor * power : step;
        }
        List<Double> ticks = new ArrayList<>();
        for (long i = (long) Math.ceil(low / step - 1e-9); i * step <= high * (1 + 1e-12) + 1e-300; i++) {
            ticks.add(i * step);
        }
        return ticks;
    }

    private List<Double> decades(double[] steps, int every) {
        List<Double> ticks = new ArrayList<>();
        int first = (int) Math.floor(Math.log10(low));
        for (int decade = first; decade <= Math.log10(high); decade++) {
            for (double step : steps) {
                double value = step * Math.pow(10, decade);
                if (value >= low && value <= high && Math.floorMod(decade, every) == 0) {
                    ticks.add(value);
                }
            }
        }
        return ticks;
    }
}
