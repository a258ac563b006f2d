package pacer.activities.publishing.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class ScaleTest {

    @Test
    void ticksAreRoundAndWithin() {
        assertThat(new Scale(0, 2000, false).ticks(5)).containsExactly(0.0, 500.0, 1000.0, 1500.0, 2000.0);
        assertThat(new Scale(0, 0.00105, false).ticks(5)).hasSize(5).contains(2.5e-4);
        assertThat(new Scale(1.4, 4.6, true).ticks(5)).containsExactly(1.5, 2.0, 3.0, 4.0);
        assertThat(new Scale(1e-3, 1e3, true).ticks(5))
                .hasSizeLessThanOrEqualTo(6)
                .contains(1.0);
    }

    @Test
    void thereAreNeverFewerThanTwoTicksNorACrowd() {
        for (double low : List.of(1e-9, 0.3, 1.0, 2.71, 999.0)) {
            for (double ratio : List.of(1.001, 1.1, 1.9, 2.9, 3.1, 9.0, 11.0, 99.0, 1e4, 1e12)) {
                for (boolean log : new boolean[] {false, true}) {
                    assertThat(Scale.around(low, low * ratio, log).ticks(5))
                            .as("%s × %s, log %s", low, ratio, log)
                            .hasSizeBetween(2, 9);
                }
            }
        }
    }

    @Test
    void aFlatCurveHasAnAxis() {
        Scale scale = Scale.around(2, 2, true);
        assertThat(scale.of(2)).isCloseTo(0.5, within(1e-12));
        assertThat(Scale.around(0, 0, false).of(0)).isCloseTo(0.5, within(1e-12));
    }

    @Test
    void logarithmsNeedPositiveNumbers() {
        assertThat(Scale.around(0, 10, true).log()).isFalse();
        assertThat(Scale.around(0.1, 10, true).of(1)).isCloseTo(0.5, within(1e-12));
    }
}
