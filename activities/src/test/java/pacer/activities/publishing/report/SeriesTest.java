package pacer.activities.publishing.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SeriesTest {

    private static Series noisy(int size) {
        SplittableRandom random = new SplittableRandom(3);
        return new Series(
                IntStream.range(0, size).mapToDouble(i -> i).toArray(),
                random.doubles(size).toArray());
    }

    @Test
    void thinningKeepsExtremesEndsAndOrder() {
        Series whole = noisy(100_000);
        whole.y()[77_777] = 9;
        whole.y()[31] = -9;
        Series thin = whole.thinned(600);
        assertThat(thin.size()).isLessThanOrEqualTo(1202);
        assertThat(Arrays.stream(thin.y()).max()).hasValue(9);
        assertThat(Arrays.stream(thin.y()).min()).hasValue(-9);
        assertThat(thin.x()).isSorted().startsWith(0).endsWith(99_999);
        for (int i = 0; i < thin.size(); i++) {
            assertThat(thin.y()[i]).isEqualTo(whole.y()[(int) thin.x()[i]]);
        }
    }

    @Test
    void aShortSeriesIsNotThinned() {
        Series whole = noisy(1202);
        assertThat(whole.thinned(600)).isSameAs(whole);
        assertThat(noisy(1203).thinned(600).size()).isLessThanOrEqualTo(1202);
    }

    @Test
    void smoothingKeepsALineALineAndFollowsASteepStart() {
        double[] x = IntStream.range(0, 100).mapToDouble(i -> i).toArray();
        Series line = new Series(x, Arrays.stream(x).map(v -> 5 - v / 50).toArray()).smoothed(10);
        for (int i = 0; i < 90; i++) {
            assertThat(line.y()[i]).isCloseTo(5 - i / 50.0, within(1e-12));
        }
    }

    @Test
    void smoothingCalmsTheLastPoint() {
        double[] y = new double[100];
        Arrays.fill(y, 2);
        y[99] = 13;
        Series smooth = new Series(new double[100], y).smoothed(10);
        assertThat(smooth.y()[99]).isCloseTo(2 + 11.0 / 11, within(1e-12));
        assertThat(smooth.y()[0]).isEqualTo(2);
    }

    @Test
    void notANumberIsLeftOut() {
        Series series = new Series(new double[] {1, 2, 3, 4}, new double[] {1, Double.NaN, Double.POSITIVE_INFINITY, 4})
                .finite();
        assertThat(series.x()).containsExactly(1, 4);
        assertThat(series.y()).containsExactly(1, 4);
    }
}
