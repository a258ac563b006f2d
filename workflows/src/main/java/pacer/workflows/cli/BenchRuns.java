package pacer.workflows.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import pacer.activities.publishing.report.Quantities;
import pacer.activities.run.Stage;
import pacer.activities.run.StageRecord;
import pacer.trainer.bench.Spread;
import pacer.trainer.spec.Processor;
import pacer.trainer.spec.RunSpec;

/**
 * Whole runs, from raw text to the trained model: {@code pacer run} with all its stages, and, in turns, nanoGPT's own commands.
 *
 * @param precision of our products; nanoGPT's are fp32 on a CPU
 * @param layers preset and settings, without folders
 * @param nanoGpt settings of its {@code train.py}; null without it
 */
record BenchRuns(
        String preset, String precision, List<String> layers, List<String> nanoGpt, String torch, List<Pair> pairs)
        implements BenchResult {

    /** @param theirs null without nanoGPT */
    record Pair(Ours ours, Theirs theirs) {}

    /**
     * A run of ours.
     *
     * @param seconds from launch to the end of the process
     * @param trainSeconds of them, the training stage
     * @param peakBytes all processes together; null where the system does not tell
     */
    record Ours(double seconds, double trainSeconds, double validationLoss, Long peakBytes) {}

    /**
     * A run of nanoGPT.
     *
     * @param seconds of both commands
     * @param prepareSeconds of them, tokenization
     */
    record Theirs(double seconds, double prepareSeconds, double validationLoss, Long peakBytes) {}

    BenchRuns {
        layers = List.copyOf(layers);
        pairs = List.copyOf(pairs);
    }

    /** Runs {@code repeats} pairs, each from an empty folder of runs and an empty cache. */
    static BenchRuns measure(
            RunSpec spec,
            List<String> layers,
            BenchProgram program,
            BenchNanoGpt nanoGpt,
            BenchFolder folder,
            int repeats,
            Consumer<String> say)
            throws IOException, InterruptedException {
        List<Pair> pairs = new ArrayList<>();
        for (int i = 0; i < repeats; i++) {
            Path home = folder.folder("run-" + i);
            Ours ours = ours(program.run(
                    layers, home.resolve("runs"), home.resolve("cache"), folder.file("log"), BenchChild.Watch.MEMORY));
            BenchFolder.delete(home);
            Theirs theirs = nanoGpt == null ? null : theirs(nanoGpt.run(folder.file("log")));
            pairs.add(new Pair(ours, theirs));
            say.accept(line(i, repeats, ours, theirs));
        }
        return new BenchRuns(
                spec.name(),
                spec.train().precision().on(Processor.here()).name().toLowerCase(Locale.ROOT),
                layers.stream().map(BenchReport::withoutPlaces).toList(),
                nanoGpt == null ? null : nanoGpt.settings(),
                nanoGpt == null ? null : nanoGpt.python().torch(),
                pairs);
    }

    private static Ours ours(BenchProgram.Done done) {
        double train =
                done.record().stage(Stage.TRAIN).map(StageRecord::seconds).orElse(Double.NaN);
        return new Ours(
                done.child().seconds(),
                train,
                done.record().verdict().validationLoss(),
                boxed(done.child().peakBytes()));
    }

    private static Theirs theirs(BenchNanoGpt.Done done) {
        return new Theirs(done.seconds(), done.secondsToPrepare(), done.validationLoss(), boxed(done.peakBytes()));
    }

    private static Long boxed(OptionalLong number) {
        return number.isPresent() ? number.getAsLong() : null;
    }

    private static String line(int index, int of, Ours ours, Theirs theirs) {
        String line = "%d/%d  pacer %s".formatted(index + 1, of, Quantities.duration(ours.seconds()));
        return theirs == null
                ? line
                : line
                        + String.format(
                                Locale.ROOT,
                                "  nanoGPT %s  ratio %.2f",
                                Quantities.duration(theirs.seconds()),
                                ours.seconds() / theirs.seconds());
    }

    private boolean compared() {
        return nanoGpt != null;
    }

    @Override
    public String name() {
        return preset + "-" + precision + "-whole";
    }

    @Override
    public String headline() {
        String time = Quantities.duration(median(p -> p.ours().seconds()));
        String loss = ", val loss " + Quantities.loss(median(p -> p.ours().validationLoss()));
        return compared()
                ? preset + ", " + precision + ", whole run: "
                        + ratio(p -> p.ours().seconds(), p -> p.theirs().seconds())
                                .text() + " of nanoGPT's time, " + time
                        + loss
                : preset + ", " + precision + ", whole run: " + time + loss;
    }

    @Override
    public List<BenchTable> tables() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(row("whole run", p -> p.ours().seconds(), p -> p.theirs().seconds(), Quantities::duration));
        List<String> loss = new ArrayList<>(
                List.of("validation loss", Quantities.loss(median(p -> p.ours().validationLoss()))));
        if (compared()) {
            loss.addAll(List.of(Quantities.loss(median(p -> p.theirs().validationLoss())), ""));
        }
        rows.add(loss);
        if (pairs.stream().allMatch(p -> p.ours().peakBytes() != null)) {
            rows.add(row(
                    "peak resident memory",
                    p -> p.ours().peakBytes(),
                    p -> p.theirs().peakBytes(),
                    b -> Quantities.bytes(b.longValue())));
        }
        String title = "median of " + pairs.size();
        BenchTable medians = new BenchTable(
                compared() ? List.of(title, "pacer", "nanoGPT", "ratio") : List.of(title, "pacer"), rows);
        return List.of(medians, single());
    }

    private BenchTable single() {
        List<List<String>> rows = new ArrayList<>();
        for (int i = 0; i < pairs.size(); i++) {
            Ours ours = pairs.get(i).ours();
            Theirs theirs = pairs.get(i).theirs();
            List<String> row = new ArrayList<>(List.of(
                    Integer.toString(i + 1),
                    two(ours.seconds()),
                    two(ours.trainSeconds()),
                    Quantities.loss(ours.validationLoss())));
            if (theirs != null) {
                row.addAll(List.of(
                        two(theirs.seconds()),
                        two(theirs.prepareSeconds()),
                        Quantities.loss(theirs.validationLoss()),
                        two(ours.seconds() / theirs.seconds())));
            }
            rows.add(row);
        }
        List<String> heads = new ArrayList<>(List.of("run", "pacer s", "of it training", "val loss"));
        if (compared()) {
            heads.addAll(List.of("nanoGPT s", "of it preparing", "val loss", "ratio"));
        }
        return new BenchTable(heads, rows);
    }

    @Override
    public List<String> remarks() {
        List<String> remarks = new ArrayList<>();
        remarks.add("pacer: run " + String.join(" ", layers)
                + ", from launch to the end of the process, with an empty cache: launcher, in-process Temporal"
                + " service, dataset, staging, training, evaluation, samples, report");
        if (compared()) {
            remarks.add("nanoGPT on PyTorch " + torch + ": data/shakespeare_char/prepare.py, then train.py"
                    + " config/train_shakespeare_char.py " + String.join(" ", nanoGpt));
            remarks.add("validation losses are each side's own: nanoGPT draws its windows at random");
        }
        remarks.add(
                "memory is the sum over a side's processes, looked at five times a second; shared pages count in each");
        return remarks;
    }

    private List<String> row(
            String title, ToDoubleFunction<Pair> ours, ToDoubleFunction<Pair> theirs, Function<Double, String> shown) {
        List<String> row = new ArrayList<>(List.of(title, shown.apply(median(ours))));
        if (compared()) {
            row.add(shown.apply(median(theirs)));
            row.add(ratio(ours, theirs).text());
        }
        return row;
    }

    private BenchRatio ratio(ToDoubleFunction<Pair> ours, ToDoubleFunction<Pair> theirs) {
        return BenchRatio.of(pairs, ours, theirs);
    }

    private double median(ToDoubleFunction<Pair> of) {
        return Spread.median(pairs.stream().mapToDouble(of).toArray());
    }

    private static String two(double number) {
        return String.format(Locale.ROOT, "%.2f", number);
    }
}
