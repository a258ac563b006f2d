package pacer.trainer.ops.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NormalTest {
    /** Values of Φ to 20 digits from mpmath's ncdf. */
    @ParameterizedTest
    @CsvSource({
        "0, 0.5",
        "0.5, 0.69146246127401310364",
        "-0.5, 0.30853753872598689636",
        "-1, 0.15865525393145705141",
        "1.7, 0.95543453724145696051",
        "-2.999, 0.0013543365337271066511",
        "-3.001, 0.001345472825084965989",
        "-3, 0.0013498980316300945267",
        "-5, 2.8665157187919391167e-7",
        "-10, 7.6198530241605260660e-24",
        "9, 1"
    })
    void cumulativeNormalIsExactInBothTails(double x, double expected) {
        assertThat(Normal.cumulative(x)).isCloseTo(expected, within(expected * 2e-13));
    }
}
