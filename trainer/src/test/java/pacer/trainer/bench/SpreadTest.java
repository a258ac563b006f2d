package pacer.trainer.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class SpreadTest {
    @Test
    void percentilesAreNumpys() {
        // numpy.percentile([5, 1, 4, 2, 3.5, 9], [10, 50, 90])
        assertThat(Spread.of(new double[] {5, 1, 4, 2, 3.5, 9})).isEqualTo(new Spread(3.75, 1.5, 7));
    }

    @Test
    void oneMeasurementIsItsOwnSpread() {
        assertThat(Spread.of(new double[] {2})).isEqualTo(new Spread(2, 2, 2));
    }

    @Test
    void measurementsStayAsTheyWere() {
        double[] measurements = {3, 1, 2};
        assertThat(Spread.median(measurements)).isEqualTo(2);
        assertThat(measurements).containsExactly(3, 1, 2);
    }

    @Test
    void nothingHasNoSpread() {
        assertThatThrownBy(() -> Spread.of(new double[0])).hasMessage("no measurements");
    }
}
