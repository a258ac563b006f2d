package pacer.activities.sweep;

import java.util.List;
import pacer.activities.run.SweepRequest;

/**
 * A sweep whose points are settled and sound before its first run.
 *
 * @param id names its folder, beside those of the runs, and begins the names of its runs
 * @param host that the folder is on
 * @param preset name of the spec
 * @param seeds of each point's runs, in order
 * @param parallel runs at work at a time
 * @param stopEarly from which validation of a run on it may be stopped; null for never
 * @param dollarsPerHour price of the machine; 0 when unknown
 * @param caution what makes losses hard to compare; null where nothing does
 */
public record SweepPlan(
        String id,
        String host,
        SweepRequest request,
        String preset,
        List<SweepPoint> points,
        List<Long> seeds,
        int parallel,
        Integer stopEarly,
        double dollarsPerHour,
        String caution) {

    public SweepPlan {
        points = List.copyOf(points);
        seeds = List.copyOf(seeds);
    }

    /** How many runs there are. */
    public int runs() {
        return points.size() * seeds.size();
    }

    /** The point of run {@code number}: all points have their first seed before any has its second, so that what there is compares at any time. */
    private int point(int number) {
        return number % points.size();
    }

    /** Run {@code number}. */
    public SweepTrial trial(int number) {
        int point = point(number);
        long seed = seeds.get(number / points.size());
        String run = "%s-p%d-s%d".formatted(id, point + 1, seed);
        return new SweepTrial(number, point, seed, run, points.get(point).steps());
    }

    /** {@code learningRate 1e-3}. */
    public String brief(int point) {
        return points.get(point).brief(points);
    }
}
