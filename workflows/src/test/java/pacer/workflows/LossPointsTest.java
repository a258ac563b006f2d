package pacer.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import pacer.activities.run.Progress;
import pacer.activities.run.Stage;

class LossPointsTest {
    private final LossPoints.Collector curve = new LossPoints.Collector();

    /** As a trainer tells: of the last validation loss with each step that follows. */
    private void step(int step, Double validationLoss) {
        curve.add(new Progress(
                Stage.TRAIN,
                Instant.EPOCH,
                null,
                "",
                step,
                1000,
                2.0,
                validationLoss,
                null,
                null,
                null,
                null,
                null,
                null));
    }

    private List<Double> validationLosses() {
        return curve.points().points().stream()
                .map(LossPoints.Point::validationLoss)
                .toList();
    }

    @Test
    void aValidationLossIsAtTheStepThatItIsOfAlone() {
        step(1, null);
        step(2, 1.9);
        step(3, 1.9);
        step(4, 1.8);
        step(5, 1.8);
        assertThat(validationLosses()).containsExactly(null, 1.9, null, 1.8, null);
    }

    @Test
    void whatIsTrainedAgainIsMeasuredAgain() {
        step(1, 1.9);
        step(2, 1.9);
        step(3, 1.8);
        step(2, 1.9);
        step(3, 1.8); // the same bits
        assertThat(validationLosses()).containsExactly(1.9, null, 1.8);
    }

    /** 2,000 signals, a validation each hundred: none may be lost, nor told twice, however few points are kept. */
    @Test
    void aLongTrainingKeepsItsValidationLosses() {
        for (int step = 1; step <= 2000; step++) {
            step(step, step < 50 ? null : 3.0 - hundreds(step) / 100.0);
        }
        assertThat(curve.points().points()).hasSizeLessThanOrEqualTo(400);
        List<Double> measured =
                validationLosses().stream().filter(Objects::nonNull).toList();
        assertThat(measured).hasSizeBetween(19, 20).doesNotHaveDuplicates();
        assertThat(measured.getFirst()).isEqualTo(2.99);
        curve.points().points().stream()
                .filter(point -> point.validationLoss() != null)
                .forEach(point -> assertThat(point.step())
                        .as("near the step of %s", point.validationLoss())
                        .isBetween(
                                (int) Math.round((3.0 - point.validationLoss()) * 10_000) - 50,
                                (int) Math.round((3.0 - point.validationLoss()) * 10_000) - 50 + 16));
    }

    /** How many validations there were up to {@code step}: at 50, 150, … */
    private static int hundreds(int step) {
        return (step + 50) / 100;
    }
}
