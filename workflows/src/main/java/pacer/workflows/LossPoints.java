package pacer.workflows;

import java.util.ArrayList;
import java.util.List;
import pacer.activities.run.Progress;

/**
 * The answer to the query {@code lossCurve}.
 *
 * @param points in the order of steps
 */
public record LossPoints(List<Point> points) {

    /**
     * Losses known at a step.
     *
     * @param loss of training, nats a token
     * @param validationLoss the last measured until then; null before the first
     */
    public record Point(int step, Double loss, Double validationLoss) {}

    /** Keeps a bounded number of points of a training of any length: when there are too many, every second one goes. */
    static final class Collector {
        private static final int MOST = 400;

        private final List<Point> points = new ArrayList<>();
        private int every = 1;
        private int heard;

        void add(Progress progress) {
            if (progress.step() == null || progress.loss() == null) {
                return;
            }
            // after a resume, what was trained beyond the checkpoint is trained again
            points.removeIf(p -> p.step() >= progress.step());
            if (heard++ % every == 0) {
                points.add(new Point(progress.step(), progress.loss(), progress.validationLoss()));
            }
            if (points.size() > MOST) {
                for (int i = points.size() - 1; i > 0; i -= 2) {
                    points.remove(i);
                }
                every *= 2;
            }
        }

        LossPoints points() {
            return new LossPoints(List.copyOf(points));
        }
    }
}
