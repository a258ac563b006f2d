package pacer.activities.record;

import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import pacer.activities.run.Environment;

/** {@code record.md}: the verdict, the runs, and what is needed to believe them. */
final class RecordPage {
    private RecordPage() {}

    static String markdown(RecordResult result) {
        RecordPlan plan = result.plan();
        StringBuilder page = new StringBuilder();
        page.append("# ").append(plan.id()).append("\n\n");
        page.append("**").append(result.text()).append("**\n\n");
        page.append(rule(plan)).append("\n\n");
        if (plan.reference() > 0) {
            page.append(String.format(Locale.ROOT, "Published: val loss %.4f (%s).\n", plan.reference(), plan.source()))
                    .append('\n');
        }
        if (result.runs().isEmpty()) {
            return page.toString();
        }
        page.append("""
                | run | seed | val loss | steps | time of the steps | with start, compilation, validation | tokens/s |
                |---|--:|--:|--:|--:|--:|--:|
                """);
        for (RecordRun run : result.runs()) {
            page.append(String.format(
                            Locale.ROOT,
                            "| %s | %d | %.4f | %,d | %s | %s | %,.0f |",
                            run.run(),
                            run.seed(),
                            run.validationLoss(),
                            run.steps(),
                            time(run.stepSeconds()),
                            time(run.trainSeconds()),
                            run.tokensPerSecond()))
                    .append('\n');
        }
        Significance found = result.significance();
        if (found != null) {
            page.append(String.format(
                            Locale.ROOT,
                            "\nMean %.5f, standard deviation %s, p %s, target %.4f.",
                            found.mean(),
                            found.standardDeviation() == null
                                    ? "unknown"
                                    : String.format(Locale.ROOT, "%.5f", found.standardDeviation()),
                            found.p() == null ? "unknown" : String.format(Locale.ROOT, "%.3g", found.p()),
                            found.target()))
                    .append('\n');
        }
        page.append(String.format(
                        Locale.ROOT,
                        "Mean time of the steps %s, with start, compilation and validation %s.\n",
                        time(result.runs().stream()
                                .mapToDouble(RecordRun::stepSeconds)
                                .average()
                                .orElseThrow()),
                        time(result.runs().stream()
                                .mapToDouble(RecordRun::trainSeconds)
                                .average()
                                .orElseThrow())))
                .append('\n');
        page.append("## Proof\n\n");
        proof(page, "machine", result.runs(), run -> machine(run.machine()));
        proof(page, "commit", result.runs(), run -> commit(run.machine()));
        proof(page, "dataset", result.runs(), run -> "`" + run.dataset() + "`");
        proof(page, "raw text's SHA-256", result.runs(), run -> run.raw() == null ? "none" : "`" + run.raw() + "`");
        proof(page, "validation tokens", result.runs(), run -> "%,d".formatted(run.validationTokens()));
        page.append("\n| log | SHA-256 |\n|---|---|\n");
        for (RecordRun run : result.runs()) {
            page.append(String.format(Locale.ROOT, "| logs/%s.jsonl | `%s` |", run.run(), run.log()))
                    .append('\n');
        }
        return page.toString();
    }

    private static String rule(RecordPlan plan) {
        int looks = plan.looks().size();
        String settled =
                "Settled before the first run: %d runs, seeds %d to %d, a one-sided t-test of the mean against %s"
                        .formatted(
                                plan.seeds().size(),
                                plan.seeds().getFirst(),
                                plan.seeds().getLast(),
                                Double.toString(plan.target()));
        return looks == 1
                ? settled + ", once, at p < " + Significance.LEVEL + "."
                : settled
                        + ", after %s runs, each at p < %s / %d, so that %s holds for all looks together."
                                .formatted(
                                        plan.looks().stream()
                                                .map(String::valueOf)
                                                .collect(Collectors.joining(", ")),
                                        Significance.LEVEL,
                                        looks,
                                        Significance.LEVEL);
    }

    /** Once, where it is the same for all runs. */
    private static void proof(StringBuilder page, String what, List<RecordRun> runs, Function<RecordRun, String> of) {
        page.append("- ")
                .append(what)
                .append(": ")
                .append(String.join("; ", runs.stream().map(of).collect(Collectors.toCollection(TreeSet::new))))
                .append('\n');
    }

    private static String machine(Environment machine) {
        return machine == null
                ? "unknown"
                : "%s, %d cores, %s, Java %s".formatted(machine.cpu(), machine.cores(), machine.os(), machine.jvm());
    }

    private static String commit(Environment machine) {
        return machine == null || machine.commit() == null
                ? "unknown"
                : "`" + machine.commit() + "`" + (machine.dirty() ? " with changes" : "");
    }

    private static String time(double seconds) {
        return seconds < 120
                ? String.format(Locale.ROOT, "%.1f s", seconds)
                : String.format(Locale.ROOT, "%.2f min", seconds / 60);
    }
}
