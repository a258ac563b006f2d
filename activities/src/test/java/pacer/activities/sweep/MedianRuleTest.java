package pacer.activities.sweep;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MedianRuleTest {
    private static List<Mark> curve(double... losses) {
        return java.util.stream.IntStream.range(0, losses.length)
                .mapToObj(i -> new Mark(10 * i, losses[i]))
                .toList();
    }

    private static final Map<Integer, List<List<Mark>>> OTHERS =
            Map.of(1, List.of(curve(4, 3, 2)), 2, List.of(curve(4, 3.5, 3)), 3, List.of(curve(4, 3.8, 3.6)));

    @Test
    void whatIsAboveTheMedianOfTheOthersAtTheSameStepIsHopeless() {
        assertThat(new MedianRule(1).hopeless(curve(4, 3.6), OTHERS))
                .isEqualTo("best val loss 3.6000, above 3.5000, the median of 3 other points at step 10");
        assertThat(new MedianRule(1).hopeless(curve(4, 3.5), OTHERS)).isNull();
        assertThat(new MedianRule(1).hopeless(curve(4, 3.6, 2.9), OTHERS))
                .as("at step 20 it is below")
                .isNull();
    }

    @Test
    void itsBestCounts() {
        assertThat(new MedianRule(1).hopeless(curve(4, 2.5, 9), OTHERS)).isNull();
    }

    @Test
    void nothingIsJudgedBeforeItsTime() {
        assertThat(new MedianRule(2).hopeless(curve(4, 9), OTHERS))
                .as("what is measured before the first step is no validation of it")
                .isNull();
        assertThat(new MedianRule(2).hopeless(curve(4, 9, 9), OTHERS)).isNotNull();
    }

    @Test
    void oneOtherPointIsNoMedian() {
        assertThat(new MedianRule(1).hopeless(curve(4, 9), Map.of(1, List.of(curve(4, 1), curve(4, 1)))))
                .isNull();
        assertThat(new MedianRule(1)
                        .hopeless(curve(4, 9), Map.of(1, List.of(curve(4, 1)), 2, List.of(List.of(new Mark(20, 1))))))
                .as("a point that was not measured at that step does not count")
                .isNull();
    }

    @Test
    void seedsDoNotOutvotePoints() {
        Map<Integer, List<List<Mark>>> others = Map.of(
                1, List.of(curve(4, 1), curve(4, 1), curve(4, 1)), 2, List.of(curve(4, 5)), 3, List.of(curve(4, 6)));
        assertThat(new MedianRule(1).hopeless(curve(4, 4), others)).isNull();
        assertThat(new MedianRule(1).hopeless(curve(4, 5.1), others)).contains("above 5.0000, the median of 3");
    }

    @Test
    void aLossThatIsNoNumberIsWorseThanAny() {
        assertThat(new MedianRule(1).hopeless(curve(Double.NaN, Double.NaN), OTHERS))
                .isNotNull();
        Map<Integer, List<List<Mark>>> lost =
                Map.of(1, List.of(curve(4, Double.NaN)), 2, List.of(curve(4, Double.NaN)));
        assertThat(new MedianRule(1).hopeless(curve(4, 9), lost)).isNull();
    }

    @Test
    void theBestOfAStepIsNeverStopped() {
        for (int own = 0; own < 5; own++) {
            double[] losses = {1, 2, 3, 4, 5};
            Map<Integer, List<List<Mark>>> others = new java.util.TreeMap<>();
            for (int i = 0; i < 5; i++) {
                if (i != own) {
                    others.put(i, List.of(List.of(new Mark(1, losses[i]))));
                }
            }
            assertThat(new MedianRule(1).hopeless(List.of(new Mark(1, losses[own])), others) != null)
                    .isEqualTo(own > 2);
        }
    }
}
