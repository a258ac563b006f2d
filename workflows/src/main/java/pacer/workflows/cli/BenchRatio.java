package pacer.workflows.cli;

import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import pacer.trainer.bench.Spread;

/**
 * Ours over theirs: the ratios of pairs measured one right after the other.
 *
 * @param median of the pairs' ratios
 */
record BenchRatio(double median, double least, double most) {

    /** The ratios of at least one pair. */
    static <P> BenchRatio of(List<P> pairs, ToDoubleFunction<P> ours, ToDoubleFunction<P> theirs) {
        double[] ratios = pairs.stream()
                .mapToDouble(pair -> ours.applyAsDouble(pair) / theirs.applyAsDouble(pair))
                .sorted()
                .toArray();
        return new BenchRatio(Spread.median(ratios), ratios[0], ratios[ratios.length - 1]);
    }

    /** {@code 0.37x (0.36 to 0.41)}. */
    String text() {
        return String.format(Locale.ROOT, "%.2fx (%.2f to %.2f)", median, least, most);
    }
}
