package pacer.workflows.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import pacer.activities.dataset.Datasets;
import pacer.activities.publishing.report.Quantities;
import pacer.activities.run.Budget;
import pacer.activities.run.SweepRequest;
import pacer.activities.sweep.PointResult;
import pacer.activities.sweep.SweepPlan;
import pacer.activities.sweep.SweepResult;
import pacer.activities.sweep.Sweeps;
import pacer.workflows.Outcome;
import pacer.workflows.Pipeline;
import pacer.workflows.PipelineOptions;
import pacer.workflows.SpecLayers;
import pacer.workflows.SweepHandle;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "sweep",
        description = {
            "Train a preset with several settings and seeds, and compare them on one page.",
            "All points are settled before the first run; one that fails costs the others nothing.",
            "PACER_RUNS and PACER_CACHE name other folders for runs and for data.%n"
        })
final class SweepCommand implements Callable<Integer> {
    @Spec
    private CommandSpec command;

    @Mixin
    private SpecOptions spec;

    @Option(
            names = "--vary",
            paramLabel = "NAME=VALUES",
            completionCandidates = Completions.OfSettings.class,
            description = "Values of a setting, such as optimizer.learningRate=1e-3,3e-3; repeated: all combinations.")
    private List<String> vary = new ArrayList<>();

    @Option(
            names = "--row",
            paramLabel = "SETTINGS",
            description =
                    "Settings that go together, such as optimizer.learningRate=1e-3,train.steps=500; repeated: a point each.")
    private List<String> rows = new ArrayList<>();

    @Option(
            names = "--seeds",
            paramLabel = "N",
            description = "Runs of each point, each with its seed, from the preset's on (default: 1).")
    private Integer seeds;

    @Option(
            names = "--parallel",
            paramLabel = "N",
            description = "Runs at work at a time (default: as many as hosts train).")
    private Integer parallel;

    @Option(
            names = "--stop-early",
            arity = "0..1",
            fallbackValue = "3",
            paramLabel = "N",
            description =
                    "Stop a run whose best validation loss is above the median of the other points at the same step, from its N-th validation on (3 if no N is given).")
    private Integer stopEarly;

    @Option(
            names = "--resume",
            paramLabel = "SWEEP",
            description = "Go on with a sweep: with what of it was not done, or failed.")
    private String resume;

    @Option(names = "--note", paramLabel = "TEXT", description = "A line kept with the runs.")
    private String note;

    @Mixin
    private BudgetOption budget;

    @Mixin
    private ServiceOption service;

    @Mixin
    private PlaceOptions places;

    @Mixin
    private OutputOption output;

    private final Console console;

    SweepCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        boolean anew = command.commandLine().getParseResult().hasMatchedPositional(0)
                || !spec.configs().isEmpty()
                || !spec.sets().isEmpty()
                || !vary.isEmpty()
                || !rows.isEmpty()
                || seeds != null
                || stopEarly != null
                || note != null;
        if (resume != null && anew) {
            throw new Mistake(
                    "--resume %s goes on with the sweep as it was asked for; only --budget and --parallel may be given with it"
                            .formatted(resume));
        }
        var grid = Varied.grid(vary);
        var together = Varied.rows(rows);
        try (Pipeline.Prepared prepared = Pipeline.prepare(new PipelineOptions(
                places.writable(console.environment()), service.temporal(), console.environment()))) {
            Budget most = budget.budget();
            if (resume != null) {
                try (Pipeline pipeline = prepared.open()) {
                    return follow(pipeline, pipeline.resumeSweep(resume, most, parallel));
                }
            }
            SpecLayers layers = spec.layers();
            if (prepared.here()) {
                Datasets.requireLocalFile(layers.spec().dataset());
            }
            SweepRequest request =
                    SweepRequest.of(layers.trial(note, most), grid, together, seeds, parallel, stopEarly);
            Sweeps.check(request, prepared.here());
            try (Pipeline pipeline = prepared.open()) {
                return follow(pipeline, pipeline.sweep(request, layers.spec()));
            }
        }
    }

    private int follow(Pipeline pipeline, SweepHandle sweep) throws InterruptedException {
        Terminal shown = output.json() ? console.errors() : console.out();
        Outcome<SweepResult> outcome;
        try (SweepFollower follower = new SweepFollower(shown)) {
            shown.size().follow();
            follower.say(
                    shown.paint(Tone.STRONG, sweep.id()) + shown.paint(Tone.QUIET, "  " + pipeline.announcement()));
            try (StopSignals _ = signals(follower, sweep)) {
                outcome = sweep.follow(follower);
            }
        }
        SweepResult result = outcome.result();
        if (result == null) {
            if (output.json()) {
                console.json(outcome);
            } else {
                console.complain(outcome.reason());
                if (outcome.stopped()) {
                    console.complain("what is done of it stays; go on with: " + goOn(sweep.id()));
                }
            }
            return outcome.stopped() ? Exit.STOPPED : outcome.refused() ? Exit.USAGE : Exit.FAILED;
        }
        if (output.json()) {
            console.json(result);
        } else {
            tell(result);
        }
        return result.goesOn() ? Exit.FAILED : Exit.OK;
    }

    private StopSignals signals(SweepFollower follower, SweepHandle sweep) {
        return sweep.local()
                ? StopSignals.listen(follower::say, sweep::stop, goOn(sweep.id()))
                : StopSignals.listenFromAfar(
                        follower::say,
                        sweep::stop,
                        number -> Runtime.getRuntime().halt(128 + number),
                        goOn(sweep.id()));
    }

    private Hints hints() {
        return Hints.of(console, places).with(service);
    }

    private String goOn(String id) {
        return hints().sweepOn(id);
    }

    private void tell(SweepResult result) {
        SweepPlan plan = result.plan();
        Terminal out = console.out();
        console.println("");
        table(result);
        console.println("");
        out.flow(out.paint(result.best().isPresent() ? Tone.GOOD : Tone.STRONG, result.text()), 0);
        if (plan.caution() != null) {
            out.flow(out.paint(Tone.WARN, plan.caution()), 0);
        }
        Path folder = places.home(console.environment()).runs().resolve(plan.id());
        if (folder.toFile().isDirectory()) {
            console.println("");
            console.println("curves    " + Console.shown(folder.resolve(Sweeps.PAGE)));
        } else {
            console.println("");
            console.println("sweep.json and its page are on host " + plan.host());
        }
        if (result.goesOn()) {
            console.println("go on     " + goOn(plan.id()));
        }
        result.best().ifPresent(best -> console.println("the best  " + hints().run(words(plan, best))));
    }

    /** What the best is trained with: as this command was given it, or as the sweep that it went on with was. */
    private List<String> words(SweepPlan plan, PointResult best) {
        List<String> words;
        if (resume == null) {
            words = new ArrayList<>(spec.words());
        } else if (plan.request().preset() != null && plan.request().config().isEmpty()) {
            words = new ArrayList<>(List.of(plan.request().preset()));
            plan.request().sets().forEach(set -> words.addAll(List.of("--set", set)));
        } else { // its files are not known here; the settings of a run are the whole of them
            Path runs = places.home(console.environment()).runs();
            return List.of(Console.shown(runs.resolve(best.runs().getFirst()).resolve("preset.yaml")));
        }
        best.settings().forEach((path, value) -> words.addAll(List.of("--set", path + "=" + value)));
        return words;
    }

    private void table(SweepResult result) {
        Table table = new Table(console.out(), "POINT", ">RUNS", ">VAL LOSS", ">SD", ">TOKENS/S", "");
        for (PointResult point : result.points()) {
            table.row(
                    result.plan().brief(point.point()),
                    Integer.toString(point.finished()),
                    point.mean() == null ? "" : Quantities.loss(point.mean()),
                    point.standardDeviation() == null
                            ? ""
                            : String.format(Locale.ROOT, "%.4f", point.standardDeviation()),
                    point.tokensPerSecond() == null ? "" : Quantities.grouped(Math.round(point.tokensPerSecond())),
                    point.missing());
        }
        table.print();
    }
}
