package pacer.workflows.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import pacer.trainer.bench.BenchCase;
import pacer.trainer.bench.Spread;
import pacer.trainer.bench.StepResult;
import pacer.trainer.spec.ModelSpec;
import pacer.trainer.spec.TrainSpec.Precision;

/**
 * Steps of one model, timed here and, in turns, in PyTorch.
 *
 * @param rival null without PyTorch
 */
record BenchSteps(BenchCase what, Rival rival, List<Pair> pairs) implements BenchResult {
    /** Losses of the two sides lie within these of each other, relatively; tensors of the same bits go in. */
    private static final double FP32_TOLERANCE = 1e-4;

    private static final double BF16_TOLERANCE = 1e-2;

    /**
     * PyTorch.
     *
     * @param tuned with its quickest AdamW rather than its default
     * @param adamW what its kinds of AdamW took, as it said
     */
    record Rival(boolean tuned, String adamW) {}

    /** One process of ours and the one of theirs right after it; null without PyTorch. */
    record Pair(Side ours, Side theirs) {}

    /** @param secondsToFirstStep from the process's start, its weights made by formula on the way */
    record Side(StepResult step, double secondsToFirstStep) {}

    BenchSteps {
        pairs = List.copyOf(pairs);
    }

    boolean compared() {
        return pairs.getFirst().theirs() != null;
    }

    /** @throws IOException when the two sides cannot have computed the same */
    void requireSame() throws IOException {
        double tolerance = what.precision() == Precision.FP32 ? FP32_TOLERANCE : BF16_TOLERANCE;
        for (Pair pair : pairs) {
            if (pair.theirs() == null) {
                continue;
            }
            StepResult ours = pair.ours().step();
            StepResult theirs = pair.theirs().step();
            requireEqual("parameters", ours.parameters(), theirs.parameters());
            requireEqual("tokens a step", ours.tokens(), theirs.tokens());
            requireEqual("threads", ours.threads(), theirs.threads());
            requireEqual(
                    "losses reported", ours.losses().size(), theirs.losses().size());
            // dropout draws other numbers on each side; a difference that is no number is none within the tolerance
            if (what.model().dropout() == 0 && !(difference(pair) <= tolerance)) {
                throw new IOException(
                        ("the two sides do not compute the same: losses of the first steps %s here, %s there,"
                                        + " must agree within %s; nothing was saved")
                                .formatted(ours.losses(), theirs.losses(), tolerance));
            }
        }
    }

    private static void requireEqual(String what, long ours, long theirs) throws IOException {
        if (ours != theirs) {
            throw new IOException("the two sides do not compute the same: " + what + " " + ours + " here, " + theirs
                    + " there; nothing was saved");
        }
    }

    /** Largest difference of a pair's losses, relative. */
    private static double difference(Pair pair) {
        double worst = 0;
        for (int i = 0; i < pair.ours().step().losses().size(); i++) {
            double theirs = pair.theirs().step().losses().get(i);
            worst = Math.max(worst, Math.abs(pair.ours().step().losses().get(i) / theirs - 1));
        }
        return worst;
    }

    @Override
    public String name() {
        return what.name() + "-" + what.precision().name().toLowerCase(Locale.ROOT) + "-step"
                + (rival != null && rival.tuned() ? "-tuned" : "");
    }

    @Override
    public String headline() {
        String title = what.name() + ", " + what.precision().name().toLowerCase(Locale.ROOT) + ": ";
        String ours = millis(median(Pair::ours, side -> side.step().millis().median())) + " a step";
        return compared()
                ? title + ratio(s -> s.step().millis().median()).text() + " of " + (rival.tuned() ? "tuned " : "")
                        + "PyTorch's time a step, " + ours
                : title + ours;
    }

    /** A progress line for the pair with number {@code index}. */
    String line(int index, int of) {
        Pair pair = pairs.get(index);
        double ours = pair.ours().step().millis().median();
        String line = "%d/%d  pacer %s".formatted(index + 1, of, millis(ours));
        if (pair.theirs() == null) {
            return line;
        }
        double theirs = pair.theirs().step().millis().median();
        return line + String.format(Locale.ROOT, "  PyTorch %s  ratio %.2f", millis(theirs), ours / theirs);
    }

    @Override
    public List<BenchTable> tables() {
        return new BenchStepTables(this).all();
    }

    @Override
    public List<String> remarks() {
        List<String> remarks = new ArrayList<>();
        ModelSpec m = what.model();
        StepResult ours = pairs.getFirst().ours().step();
        remarks.add("model: %d layers, %d heads, %d wide, %s, %s, vocabulary %,d, %,d parameters"
                .formatted(
                        m.layers(),
                        m.heads(),
                        m.width(),
                        m.bias() ? "biases" : "no biases",
                        m.activation().name().toLowerCase(Locale.ROOT),
                        m.vocabulary(),
                        ours.parameters()));
        remarks.add(
                "step: %d x %d tokens%s, forward, backward, clipping, AdamW; %d steps timed a run after warm-up; %d threads"
                        .formatted(
                                what.sequences(),
                                what.length(),
                                what.microSteps() > 1 ? ", " + what.microSteps() + " times" : "",
                                what.steps(),
                                what.threads()));
        for (Side side : compared()
                ? List.of(pairs.getFirst().ours(), pairs.getFirst().theirs())
                : List.of(pairs.getFirst().ours())) {
            StepResult s = side.step();
            remarks.add(
                    "%s: %s; %s; %s".formatted(s.engine(), s.runtime(), s.device(), String.join(", ", s.settings())));
        }
        if (compared()) {
            remarks.add("AdamW in PyTorch, an update: " + rival.adamW() + "; "
                    + (rival.tuned() ? "the quickest was taken" : "its default was taken, as nanoGPT does on CPUs"));
            remarks.add(
                    what.model().dropout() == 0
                            ? String.format(
                                    Locale.ROOT,
                                    "the same weights and batches on both sides: the losses of the first %d steps agree within %.1e",
                                    ours.losses().size(),
                                    pairs.stream()
                                            .mapToDouble(BenchSteps::difference)
                                            .max()
                                            .orElseThrow())
                            : "dropout draws other numbers on each side: losses were not compared");
        }
        sides().stream()
                .filter(side -> !side.step().steady())
                .map(side -> side.step().engine())
                .distinct()
                .forEach(engine -> remarks.add(engine + ": steps were still getting faster when warm-up was ended"));
        return remarks;
    }

    /** Of every process. */
    List<Side> sides() {
        List<Side> sides = new ArrayList<>();
        for (Pair pair : pairs) {
            sides.add(pair.ours());
            if (pair.theirs() != null) {
                sides.add(pair.theirs());
            }
        }
        return sides;
    }

    BenchRatio ratio(ToDoubleFunction<Side> of) {
        return BenchRatio.of(pairs, pair -> of.applyAsDouble(pair.ours()), pair -> of.applyAsDouble(pair.theirs()));
    }

    double median(Function<Pair, Side> which, ToDoubleFunction<Side> of) {
        return Spread.median(pairs.stream().map(which).mapToDouble(of).toArray());
    }

    static String millis(double millis) {
        return String.format(Locale.ROOT, millis < 99.95 ? "%.2f ms" : "%.0f ms", millis);
    }
}
