package pacer.activities.record;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class SignificanceTest {

    /** Means, deviations and p of scipy.stats.ttest_1samp(losses, target, alternative='less'). */
    @Test
    void isTheTestThatRecordsAreJudgedBy() {
        Significance four = Significance.of(new double[] {3.2791, 3.2785, 3.2799, 3.2778}, 3.28, 1);
        assertThat(four.mean()).isCloseTo(3.278825, within(1e-12));
        assertThat(four.standardDeviation()).isCloseTo(0.0008920949127381625, within(1e-12));
        assertThat(four.p()).isCloseTo(0.039019969961265125, within(1e-9));
        assertThat(four.holds()).as("below the target, but perhaps by chance").isFalse();
        Significance other = Significance.of(new double[] {1.88, 1.905, 1.895, 1.9043}, 1.9, 1);
        assertThat(other.p()).isCloseTo(0.27427940409978335, within(1e-9));
        assertThat(other.text())
                .isEqualTo(
                        "mean val loss 1.8961 over 4 runs, target 1.9000: no record at p = 0.27 (needed: below 0.01);"
                                + " standard deviation 0.0116");
    }

    @Test
    void severalLooksShareTheLevel() {
        double[] losses = {3.270, 3.274, 3.2755, 3.278, 3.269};
        double p = Significance.of(losses, 3.28, 1).p();
        assertThat(p).isBetween(0.0025, 0.01);
        assertThat(Significance.of(losses, 3.28, 1).holds()).isTrue();
        assertThat(Significance.of(losses, 3.28, 4).holds()).isFalse();
    }

    @Test
    void oneRunAndRunsWithoutAnyDifferenceProveNothing() {
        assertThat(Significance.of(new double[] {1}, 2, 1).holds()).isFalse();
        Significance same = Significance.of(new double[] {1, 1, 1}, 2, 1);
        assertThat(same.holds()).isFalse();
        assertThat(same.text()).endsWith("its runs are all the same, which proves nothing");
    }

    @Test
    void whatIsNoNumberIsNoRecord() {
        assertThat(Significance.of(new double[] {1, Double.NaN, 1.1}, 2, 1).holds())
                .isFalse();
    }

    @Test
    void aMeanAboveTheTargetIsNoRecord() {
        Significance above = Significance.of(new double[] {3.281, 3.2805, 3.2815}, 3.28, 1);
        assertThat(above.holds()).isFalse();
        assertThat(above.p()).isGreaterThan(0.9);
    }
}
