package pacer.workflows.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import pacer.activities.dataset.Datasets;
import pacer.activities.record.RecordPlan;
import pacer.activities.record.RecordResult;
import pacer.activities.record.RecordRun;
import pacer.activities.run.Budget;
import pacer.activities.run.RecordRequest;
import pacer.activities.run.RunUpdate;
import pacer.workflows.Outcome;
import pacer.workflows.Pipeline;
import pacer.workflows.PipelineOptions;
import pacer.workflows.RecordHandle;
import pacer.workflows.SpecLayers;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "record",
        description = {
            "Train a preset with several seeds, and test whether its mean loss reaches a target.",
            "The runs are settled before the first; a record counts at p < 0.01 of a one-sided t-test.",
            "PACER_RUNS and PACER_CACHE name other folders for runs and for data.%n"
        })
final class RecordCommand implements Callable<Integer> {
    @Mixin
    private SpecOptions spec;

    @Option(names = "--runs", paramLabel = "N", description = "How many runs (default: 5).")
    private Integer runs;

    @Option(
            names = "--target",
            paramLabel = "LOSS",
            description = "Validation loss that the mean must not be above (default: what the preset expects).")
    private Double target;

    @Option(
            names = "--look",
            split = ",",
            paramLabel = "N",
            description =
                    "Look after so many runs too, and end where it is a record then, such as 3,5; each look has its share of 0.01 (default: once, after all).")
    private List<Integer> looks = List.of();

    @Option(
            names = "--parallel",
            paramLabel = "N",
            description = "Runs at work at a time (default: as many as hosts train).")
    private Integer parallel;

    @Option(
            names = "--seed",
            paramLabel = "SEED",
            description = "Seed of the first run; each later one's is one more (default: the preset's).")
    private Long seed;

    @Option(names = "--note", paramLabel = "TEXT", description = "A line kept with the runs.")
    private String note;

    @Mixin
    private BudgetOption budget;

    @Mixin
    private ServiceOption service;

    /** By the environment alone: {@code --runs} is how many there are. */
    private final PlaceOptions places = new PlaceOptions();

    @Mixin
    private OutputOption output;

    private final Console console;

    RecordCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        try (Pipeline.Prepared prepared = Pipeline.prepare(new PipelineOptions(
                places.writable(console.environment()), service.temporal(), console.environment()))) {
            SpecLayers layers = spec.layers();
            if (prepared.here()) {
                Datasets.requireLocalFile(layers.spec().dataset());
            }
            Budget most = budget.budget();
            if (most != null) {
                most.require(layers.spec().cost().dollarsPerHour());
            }
            RecordRequest request = RecordRequest.of(layers.trial(note, most), runs, target, looks, parallel, seed);
            try (Pipeline pipeline = prepared.open()) {
                return follow(pipeline, pipeline.attempt(request, layers.spec()));
            }
        }
    }

    private int follow(Pipeline pipeline, RecordHandle attempt) throws InterruptedException {
        Terminal shown = output.json() ? console.errors() : console.out();
        Outcome<RecordResult> outcome;
        try (Follower follower = new Follower(shown)) {
            shown.size().follow();
            follower.say(
                    shown.paint(Tone.STRONG, attempt.id()) + shown.paint(Tone.QUIET, "  " + pipeline.announcement()));
            try (StopSignals _ = signals(follower, attempt)) {
                outcome = attempt.follow(follower);
            }
        }
        if (outcome.result() == null) {
            if (output.json()) {
                console.json(outcome);
            } else {
                console.complain(outcome.reason());
            }
            return outcome.stopped() ? Exit.STOPPED : outcome.refused() ? Exit.USAGE : Exit.FAILED;
        }
        RecordResult result = outcome.result();
        if (output.json()) {
            console.json(result);
        } else {
            tell(result);
        }
        return result.record() == null ? Exit.FAILED : result.record() ? Exit.OK : Exit.MISSED;
    }

    private StopSignals signals(Follower follower, RecordHandle attempt) {
        String again = console.program() + " record, anew: what is finished of it counts no more";
        return attempt.local()
                ? StopSignals.listen(follower::say, attempt::stop, again)
                : StopSignals.listenFromAfar(
                        follower::say,
                        attempt::stop,
                        number -> Runtime.getRuntime().halt(128 + number),
                        "Temporal's page of workflow " + attempt.id());
    }

    private void tell(RecordResult result) {
        console.println("");
        console.out()
                .flow(
                        console.out()
                                .paint(Boolean.TRUE.equals(result.record()) ? Tone.GOOD : Tone.STRONG, result.text()),
                        0);
        Path folder =
                places.home(console.environment()).runs().resolve(result.plan().id());
        if (folder.toFile().isDirectory()) {
            console.println("");
            console.println(Console.shown(folder.resolve("record.md")));
        } else {
            console.println(
                    "record.md and record.json are on host " + result.plan().host());
        }
    }

    /** One line for each run that is finished, and the view of a run below. */
    private static final class Follower implements RecordHandle.Listener, AutoCloseable {
        private final Terminal terminal;
        private RunView view;
        private RecordPlan plan;

        private Follower(Terminal terminal) {
            this.terminal = terminal;
            this.view = new RunView(terminal, System::nanoTime).ticking();
        }

        private void say(String line) {
            view.say(line);
        }

        @Override
        public void settled(RecordPlan settled) {
            plan = settled;
            say("%d runs, seeds %d to %d; target %s, one-sided t-test at p < 0.01%s"
                    .formatted(
                            plan.seeds().size(),
                            plan.seeds().getFirst(),
                            plan.seeds().getLast(),
                            Double.toString(plan.target()),
                            plan.looks().size() == 1 ? "" : ", looked at after " + plan.looks()));
        }

        @Override
        public void began(String run) {
            view.close();
            view = new RunView(terminal, System::nanoTime).ticking();
            say(terminal.paint(
                    Tone.STRONG,
                    "run " + run.substring(run.lastIndexOf('-') + 1) + " of "
                            + plan.seeds().size()));
        }

        @Override
        public void advanced(RunUpdate update) {
            view.accept(update);
        }

        @Override
        public void finished(RecordRun run) {
            say(String.format(
                    Locale.ROOT,
                    "%s seed %d: val loss %.4f, steps took %.1f s",
                    run.run(),
                    run.seed(),
                    run.validationLoss(),
                    run.stepSeconds()));
        }

        @Override
        public void close() {
            view.close();
        }
    }
}
