package pacer.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PermutationTest {

    @ParameterizedTest
    @ValueSource(
            ints = {
                1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 97, 255, 256, 257, 1023, 1024, 1025, 65_535, 65_536, 65_537, 104_729
            })
    void hitsEveryPlaceOnce(int size) {
        for (long key : new long[] {0, -1, 1337}) {
            Permutation permutation = new Permutation(size, key);
            BitSet seen = new BitSet();
            for (int i = 0; i < size; i++) {
                seen.set(Math.toIntExact(permutation.at(i)));
            }
            assertThat(seen.cardinality()).isEqualTo(size);
            assertThat(seen.length()).isEqualTo(size);
        }
    }

    @Test
    void staysInsideAndDistinctAtSizesThatNoMemoryHolds() {
        for (long size : new long[] {(1L << 31) + 1, 1L << 40, (1L << 61) - 1, 1L << 62}) {
            Permutation permutation = new Permutation(size, 7);
            long[] places =
                    LongStream.range(size - 1000, size).map(permutation::at).toArray();
            assertThat(places).doesNotHaveDuplicates();
            assertThat(LongStream.of(places)).allMatch(place -> place >= 0 && place < size);
        }
    }

    /** Chi-squared over the 24 orders of four; 23 degrees of freedom exceed 50 once in a thousand. */
    @Test
    void drawsEveryOrderOfAFewEquallyOften() {
        for (int size : new int[] {2, 3, 4}) {
            int orders = IntStream.rangeClosed(1, size).reduce(1, (a, b) -> a * b);
            int draws = 24_000;
            Map<String, Integer> counts = new HashMap<>();
            for (int draw = 0; draw < draws; draw++) {
                Permutation permutation = new Permutation(size, CounterRandom.bits(1, draw));
                counts.merge(
                        Arrays.toString(
                                LongStream.range(0, size).map(permutation::at).toArray()),
                        1,
                        Integer::sum);
            }
            double expected = (double) draws / orders;
            double chi = counts.values().stream()
                    .mapToDouble(n -> (n - expected) * (n - expected) / expected)
                    .sum();
            assertThat(counts).hasSize(orders);
            assertThat(chi).as("orders of %d: %s", size, counts).isLessThan(50);
        }
    }

    /** Where elements land must not follow where they were: rank correlation of a large order is near 0. */
    @Test
    void leavesNoTraceOfTheOldOrder() {
        int size = 100_003;
        Permutation permutation = new Permutation(size, 42);
        long[] places = LongStream.range(0, size).map(permutation::at).toArray();
        assertThat(Math.abs(correlation(LongStream.range(0, size).toArray(), places)))
                .isLessThan(0.015);
        long[] next = Arrays.copyOfRange(places, 1, size);
        assertThat(Math.abs(correlation(Arrays.copyOf(places, size - 1), next))).isLessThan(0.015);
        long fixed = IntStream.range(0, size).filter(i -> places[i] == i).count();
        assertThat(fixed).isLessThan(10); // Poisson with mean 1
    }

    private static double correlation(long[] a, long[] b) {
        double meanA = Arrays.stream(a).average().orElseThrow();
        double meanB = Arrays.stream(b).average().orElseThrow();
        double ab = 0;
        double aa = 0;
        double bb = 0;
        for (int i = 0; i < a.length; i++) {
            ab += (a[i] - meanA) * (b[i] - meanB);
            aa += (a[i] - meanA) * (a[i] - meanA);
            bb += (b[i] - meanB) * (b[i] - meanB);
        }
        return ab / Math.sqrt(aa * bb);
    }
}
