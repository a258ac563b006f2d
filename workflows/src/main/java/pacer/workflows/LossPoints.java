package pacer.workflows;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
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
     * @param validationLoss measured at this step, or since the point before; null where none was
     */
    public record Point(int step, Double loss, Double validationLoss) {}

    /** Keeps a bounded number of points of a training of any length: when there are too many, every second one goes. */
    static final class Collector {
        private static final int MOST = 400;

        private final List<Point> points = new ArrayList<>();
        private int every = 1;
        private int heard;
        private Point untold; // of a step that is no point: its validation loss goes to the next one

        void add(Progress progress) {
            if (progress.step() == null || progress.loss() == null) {
                return;
            }
            // after a resume, what was trained beyond the checkpoint is trained again
            points.removeIf(p -> p.step() >= progress.step());
            if (untold != null && untold.step() >= progress.step()) {
                untold = null;
            }
            // progress goes on telling of the last one
            Double told = progress.validationLoss();
            if (told != null && !told.equals(last())) {
                untold = new Point(progress.step(), progress.loss(), told);
            }
            if (heard++ % every == 0) {
                points.add(
                        new Point(progress.step(), progress.loss(), untold == null ? null : untold.validationLoss()));
                untold = null;
            }
            if (points.size() > MOST) {
                thin();
                every *= 2;
            }
        }

        /** The last validation loss that was heard of; null before the first. */
        private Double last() {
            return untold != null
                    ? untold.validationLoss()
                    : points.reversed().stream()
                            .map(Point::validationLoss)
                            .filter(Objects::nonNull)
                            .findFirst()
                            .orElse(null);
        }

        private void thin() {
            for (int i = points.size() - 1; i > 0; i -= 2) {
                Point gone = points.remove(i);
                if (gone.validationLoss() == null) {
                    continue;
                }
                if (i == points.size()) {
                    untold = gone;
                } else if (points.get(i).validationLoss() == null) {
                    Point next = points.get(i);
                    points.set(i, new Point(next.step(), next.loss(), gone.validationLoss()));
                }
            }
        }

        LossPoints points() {
            return new LossPoints(List.copyOf(points));
        }
    }
}
