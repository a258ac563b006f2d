package pacer.workflows.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import pacer.activities.publishing.report.Quantities;
import pacer.workflows.cli.BenchSteps.Pair;
import pacer.workflows.cli.BenchSteps.Side;

/** Timed steps as tables: the medians over all processes, then each process. */
record BenchStepTables(BenchSteps steps) {

    List<BenchTable> all() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(row("step, median", s -> s.step().millis().median(), BenchSteps::millis));
        rows.add(row("step, 10th percentile", s -> s.step().millis().p10(), BenchSteps::millis));
        rows.add(row("step, 90th percentile", s -> s.step().millis().p90(), BenchSteps::millis));
        rows.add(row("CPU time a step", s -> s.step().cpuMillis(), BenchSteps::millis));
        rows.add(row("tokens/s", s -> s.step().tokensPerSecond(), Quantities::count));
        if (steps.sides().stream().allMatch(s -> s.step().peakBytes() != null)) {
            rows.add(row("peak resident memory", s -> s.step().peakBytes(), b -> Quantities.bytes(b.longValue())));
        }
        rows.add(row("process start to first step", Side::secondsToFirstStep, Quantities::brief));
        List<String> heads = steps.compared()
                ? List.of(
                        "median of " + steps.pairs().size(),
                        "pacer",
                        steps.pairs().getFirst().theirs().step().engine(),
                        "ratio")
                : List.of("median of " + steps.pairs().size(), "pacer");
        return List.of(new BenchTable(heads, rows), single());
    }

    private BenchTable single() {
        List<List<String>> rows = new ArrayList<>();
        for (int i = 0; i < steps.pairs().size(); i++) {
            Pair pair = steps.pairs().get(i);
            List<String> row = new ArrayList<>(List.of(Integer.toString(i + 1)));
            row.addAll(cells(pair.ours()));
            if (steps.compared()) {
                row.addAll(cells(pair.theirs()));
                row.add(two(pair.ours().step().millis().median()
                        / pair.theirs().step().millis().median()));
                row.add(two(
                        pair.ours().step().cpuMillis() / pair.theirs().step().cpuMillis()));
            }
            rows.add(row);
        }
        List<String> heads = new ArrayList<>(List.of("run", "pacer ms", "CPU ms"));
        if (steps.compared()) {
            heads.addAll(List.of("PyTorch ms", "CPU ms", "ratio", "CPU ratio"));
        }
        return new BenchTable(heads, rows);
    }

    private static List<String> cells(Side side) {
        return List.of(two(side.step().millis().median()), two(side.step().cpuMillis()));
    }

    private List<String> row(String title, ToDoubleFunction<Side> of, Function<Double, String> shown) {
        List<String> row = new ArrayList<>(List.of(title, shown.apply(steps.median(Pair::ours, of))));
        if (steps.compared()) {
            row.add(shown.apply(steps.median(Pair::theirs, of)));
            row.add(steps.ratio(of).text());
        }
        return row;
    }

    private static String two(double number) {
        return String.format(Locale.ROOT, "%.2f", number);
    }
}
