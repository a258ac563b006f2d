package pacer.workflows.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import pacer.activities.publishing.report.Series;

class LossCurveTest {
    private final Terminal terminal = new Screen().terminal(false, 80);

    private static Series falling(int size) {
        return new Series(
                IntStream.range(0, size).mapToDouble(i -> i).toArray(),
                IntStream.range(0, size)
                        .mapToDouble(i -> 4 - 2.0 * i / (size - 1))
                        .toArray());
    }

    @Test
    void aFallingCurveGoesFromUpperLeftToLowerRight() {
        List<String> lines =
                new LossCurve(60, 10, terminal).line(falling(500), Tone.ACCENT).lines();
        assertThat(lines).hasSize(12).allSatisfy(line -> assertThat(line.length())
                .isLessThanOrEqualTo(68));
        int before = -1;
        for (String line : lines.subList(0, 10)) {
            int at = line.substring(8).stripTrailing().length();
            assertThat(at).isGreaterThan(before);
            before = at;
        }
        assertThat(before).isEqualTo(60);
        assertThat(lines.getFirst()).startsWith("  3.9");
        assertThat(lines.getLast()).contains("0 ").endsWith("499 steps");
    }

    @Test
    void aCurveHasNoHoles() {
        List<String> lines =
                new LossCurve(60, 10, terminal).line(falling(2), Tone.ACCENT).lines();
        for (int column = 8; column < 68; column++) {
            int c = column;
            assertThat(lines.subList(0, 10)).anyMatch(l -> l.length() > c && l.charAt(c) != ' ');
        }
    }

    @Test
    void singlePointsAreDots() {
        Series points = new Series(new double[] {0, 50, 99}, new double[] {3, 2.5, 2});
        String drawn = String.join(
                "\n",
                new LossCurve(60, 10, terminal)
                        .line(falling(100), Tone.ACCENT)
                        .points(points, Tone.SECOND)
                        .lines());
        assertThat(drawn.chars().filter(c -> c == '●')).hasSize(3);
    }

    @Test
    void nothingIsDrawnOfNothing() {
        assertThat(new LossCurve(60, 10, terminal).lines()).isEmpty();
        Series one = new Series(new double[] {1}, new double[] {2});
        Series none = new Series(new double[] {1, 2}, new double[] {Double.NaN, Double.POSITIVE_INFINITY});
        assertThat(new LossCurve(60, 10, terminal)
                        .line(one, Tone.ACCENT)
                        .line(none, Tone.SECOND)
                        .lines())
                .isEmpty();
    }

    @Test
    void aFlatCurveIsDrawn() {
        Series flat = new Series(new double[] {0, 9}, new double[] {2, 2});
        assertThat(new LossCurve(60, 10, terminal).line(flat, Tone.ACCENT).lines())
                .hasSize(12);
    }

    @Test
    void anyLossIsDrawnWithoutPushingTheAxis() {
        double[] sizes = {0, 1e-300, 1e-9, 0.5, 999.994, 999.996, 1234.5, 99999.6, 1e6, 3.2e30, 1e300, Double.MAX_VALUE
        };
        for (double low : sizes) {
            for (double high : sizes) {
                for (double odd : new double[] {low, Double.NaN, Double.POSITIVE_INFINITY, -high}) {
                    Series losses = new Series(new double[] {0, 5, 7, 9}, new double[] {low, odd, high, low});
                    assertThat(new LossCurve(60, 10, terminal)
                                    .line(losses, Tone.ACCENT)
                                    .points(losses, Tone.SECOND)
                                    .lines())
                            .as("%s %s %s", low, odd, high)
                            .hasSize(12)
                            .allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(68))
                            .allSatisfy(line -> assertThat(line.charAt(7)).isIn('│', '└', ' '));
                }
            }
        }
    }
}
