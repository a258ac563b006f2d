package pacer.trainer.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;

class OutlierGuardTest {
    private final OutlierGuard guard = new OutlierGuard(List.of());

    @Test
    void nothingIsAnOutlierWhileThereAreTooFew() {
        for (int i = 0; i < OutlierGuard.WINDOW; i++) {
            assertThat(guard.score(i == 100 ? 1e9 : i)).isZero();
        }
        assertThat(guard.score(5)).isNotZero();
    }

    @Test
    void itIsTheZScoreAmongTheLatestItselfIncluded() {
        SplittableRandom random = new SplittableRandom(1);
        double[] values = random.doubles(500, 3, 4).toArray();
        for (int i = 0; i < values.length; i++) {
            double score = guard.score(values[i]);
            if (i >= OutlierGuard.WINDOW) {
                double[] latest = java.util.Arrays.copyOfRange(values, i + 1 - OutlierGuard.WINDOW, i + 1);
                double mean = DoubleStream.of(latest).average().orElseThrow();
                double variance = DoubleStream.of(latest)
                        .map(x -> (x - mean) * (x - mean))
                        .average()
                        .orElseThrow();
                assertThat(score).isCloseTo((values[i] - mean) / Math.sqrt(variance), within(1e-9));
            }
        }
        assertThat(guard.score(40)).isGreaterThan(5);
        assertThat(guard.score(3.5)).isBetween(-1.0, 0.0);
    }

    @Test
    void equalNumbersHaveNoOutlier() {
        for (int i = 0; i < 300; i++) {
            assertThat(guard.score(2)).isZero();
        }
    }

    @Test
    void whatIsKeptGoesOnAsBefore() {
        SplittableRandom random = new SplittableRandom(2);
        for (int i = 0; i < 200; i++) {
            double _ = guard.score(random.nextDouble());
        }
        OutlierGuard resumed = new OutlierGuard(guard.window());
        assertThat(resumed.window()).hasSize(OutlierGuard.WINDOW);
        for (int i = 0; i < 10; i++) {
            double value = random.nextDouble();
            assertThat(resumed.score(value)).isEqualTo(guard.score(value));
        }
    }

    @Test
    void aNumberThatIsNoneIsForOthersToJudge() {
        assertThatThrownBy(() -> guard.score(Double.NaN)).isInstanceOf(IllegalArgumentException.class);
        assertThat(guard.window()).isEmpty();
    }
}
