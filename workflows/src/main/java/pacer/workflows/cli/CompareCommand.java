package pacer.workflows.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.function.DoubleFunction;
import pacer.activities.publishing.report.Quantities;
import pacer.activities.publishing.report.RunHistory;
import pacer.activities.publishing.report.Series;
import pacer.activities.run.RunIndex;
import pacer.activities.run.RunRecord;
import pacer.activities.run.Stage;
import pacer.trainer.event.TrainingEvent.Validated;
import pacer.trainer.spec.CanonicalYaml;
import pacer.trainer.spec.SpecLoader;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(name = "compare", description = "Compare two runs: losses, speed, settings that differ, curves.")
final class CompareCommand implements Callable<Integer> {
    @Parameters(
            index = "0",
            paramLabel = "RUN",
            completionCandidates = Completions.OfRuns.class,
            description = "Id, its beginning, last, or a folder.")
    private String first;

    @Parameters(
            index = "1",
            paramLabel = "RUN",
            completionCandidates = Completions.OfRuns.class,
            description = "The run to hold beside it.")
    private String second;

    @Mixin
    private PlaceOptions places;

    @Mixin
    private OutputOption output;

    private final Console console;

    CompareCommand(Console console) {
        this.console = console;
    }

    /** A run with what it told; numbers are NaN where it has not come so far. */
    private record Side(RunRecord run, RunHistory history, Map<String, String> settings) {

        double validationLoss() {
            return run.verdict() != null
                    ? run.verdict().validationLoss()
                    : history.validations().isEmpty()
                            ? Double.NaN
                            : history.validations().getLast().loss();
        }

        double bestLoss() {
            return history.best().map(Validated::loss).orElse(Double.NaN);
        }

        double trainingLoss() {
            Series loss = history.loss();
            return loss.size() == 0 ? Double.NaN : LossCurves.calmed(loss).y()[loss.size() - 1];
        }

        double trainingSeconds() {
            return run.stage(Stage.TRAIN).map(s -> s.seconds()).orElse(Double.NaN);
        }

        double steps() {
            return history.steps().isEmpty()
                    ? Double.NaN
                    : history.steps().getLast().step();
        }
    }

    private record Measure(String key, String name, double a, double b, DoubleFunction<String> format, boolean ratio) {

        String difference() {
            if (Double.isNaN(a) || Double.isNaN(b)) {
                return "";
            }
            String format = ratio ? "%.2fx" : Math.abs(b - a) < 1e6 ? "%+.4f" : "%+.4e";
            return String.format(Locale.ROOT, format, ratio ? b / a : b - a);
        }
    }

    @Override
    public Integer call() throws IOException {
        Side a = side(first);
        Side b = side(second);
        List<Measure> measures = List.of(
                new Measure(
                        "validationLoss",
                        "validation loss",
                        a.validationLoss(),
                        b.validationLoss(),
                        Quantities::loss,
                        false),
                new Measure(
                        "bestValidationLoss",
                        "best validation loss",
                        a.bestLoss(),
                        b.bestLoss(),
                        Quantities::loss,
                        false),
                new Measure(
                        "trainingLoss",
                        "training loss, smoothed",
                        a.trainingLoss(),
                        b.trainingLoss(),
                        Quantities::loss,
                        false),
                new Measure("steps", "steps", a.steps(), b.steps(), v -> Quantities.grouped((long) v), true),
                new Measure(
                        "trainingSeconds",
                        "training time, whole",
                        a.trainingSeconds(),
                        b.trainingSeconds(),
                        Quantities::duration,
                        true),
                new Measure(
                        "tokensPerSecond",
                        "tokens/s of the steps alone",
                        a.history().tokensPerSecond(),
                        b.history().tokensPerSecond(),
                        Quantities::count,
                        true));
        SequencedMap<String, List<String>> differing = differing(a, b);
        if (output.json()) {
            json(a, b, measures, differing);
        } else {
            print(a, b, measures, differing);
        }
        return Exit.OK;
    }

    private Side side(String name) throws IOException {
        RunIndex.Entry entry = places.run(name, console.environment());
        return new Side(
                entry.record(),
                RunHistory.read(entry.folder().events()),
                CanonicalYaml.flatten(SpecLoader.read(entry.folder().preset())));
    }

    private static SequencedMap<String, List<String>> differing(Side a, Side b) {
        SequencedMap<String, List<String>> differing = new LinkedHashMap<>();
        Set<String> paths = new TreeSet<>(a.settings().keySet());
        paths.addAll(b.settings().keySet());
        paths.removeIf(path -> path.startsWith("expectation.")); // what was hoped for changes nothing in a run
        for (String path : paths) {
            String left = a.settings().getOrDefault(path, "–");
            String right = b.settings().getOrDefault(path, "–");
            if (!left.equals(right)) {
                differing.put(path, List.of(left, right));
            }
        }
        return differing;
    }

    private void print(Side a, Side b, List<Measure> measures, Map<String, List<String>> differing) {
        Terminal out = console.out();
        out.println(out.paint(Tone.ACCENT, "A ") + a.run().id());
        out.println(out.paint(Tone.SECOND, "B ") + b.run().id());
        out.println("");
        Table table = new Table(out, "", ">A", ">B", ">B AGAINST A");
        for (Measure measure : measures) {
            table.row(measure.name(), said(measure, measure.a()), said(measure, measure.b()), measure.difference());
        }
        table.print();
        out.println("");
        if (differing.isEmpty()) {
            out.println("The settings are the same.");
        } else {
            Table settings = new Table(out, "SETTINGS THAT DIFFER", ">A", ">B");
            differing.forEach((path, values) -> settings.row(path, shown(values.get(0)), shown(values.get(1))));
            settings.print();
        }
        LossCurves.print(out, List.of(a.history(), b.history()));
    }

    private static String said(Measure measure, double value) {
        return Double.isNaN(value) ? "–" : measure.format().apply(value);
    }

    private static String shown(String value) {
        String line = Terminal.harmless(value.replace("\n", "\\n"));
        return line.isEmpty() ? "''" : line.length() > 40 ? line.substring(0, 39) + "…" : line;
    }

    private void json(Side a, Side b, List<Measure> measures, Map<String, List<String>> differing) {
        SequencedMap<String, Object> object = new LinkedHashMap<>();
        object.put("runs", List.of(a.run().id(), b.run().id()));
        for (Measure measure : measures) {
            List<Double> values = new ArrayList<>();
            values.add(Double.isNaN(measure.a()) ? null : measure.a());
            values.add(Double.isNaN(measure.b()) ? null : measure.b());
            object.put(measure.key(), values);
        }
        object.put("settings", differing);
        console.json(object);
    }
}
